# SPDX-License-Identifier: Apache-2.0
"""Tells of each request that would change something, as a CADF event.

keystonemiddleware's audit middleware has the events' form and its file of
names, which are used here; in its place it stays out of the way.  Behind the
identity it would not hear of a refusal by it, and in front of it not of who
asked; it knows callers by the headers of Keystone only, puts a part of the
token into its events, and sends them while the caller waits, for ever where
the broker is away.
"""

import configparser
import datetime
import json
import re
import socket
import urllib.parse
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import webob
from keystonemiddleware import audit
from oslo_log import log
from pycadf import (
    cadftaxonomy,
    cadftype,
    event,
    host,
    reason,
    resource,
    timestamp,
)

from mogan import aside
from mogan.api import types
from mogan.notifications import bus

LOG = log.getLogger(__name__)

SERVICE: Final = 'baremetal_compute'
EVENT: Final = 'audit.http.response'
_OPTIONS: Final = 'audit_middleware_notifications'
_AGENT: Final = 255
_UUID: Final = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
                          re.IGNORECASE | re.ASCII)

# The ids of users and projects are what the identity has.
warnings.filterwarnings('ignore', message='Invalid uuid: ')


class MapError(ValueError):
    """The file of names cannot be used."""


class _Answered(NamedTuple):
    """A request and its answer, as far as an auditor may know them."""

    moment: datetime.datetime
    caller: Any
    method: str
    path: str
    address: str
    agent: str
    code: int
    location: str


class Audit:
    """WSGI middleware: what is answered is told of by another thread."""

    def __init__(self, application: Callable[..., Any], conf: Any,
                 send: Callable[[str, dict[str, Any]], None]) -> None:
        self._application = application
        self._ignored = {name.upper() for name
                         in conf.audit.ignore_req_list}
        self._names = read_map(conf.audit.audit_map_file)
        self._base = _base(conf, self._names)
        self._send = send
        self._aside = aside.Aside('audit')

    def close(self) -> None:
        """Send the last events."""
        self._aside.close()

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Iterable[bytes]:
        method = environ['REQUEST_METHOD']
        if method in self._ignored:
            return self._application(environ, start_response)
        # What is inside changes it.
        path = environ.get('PATH_INFO', '')
        answered: tuple[int, str] = 0, ''

        def start(status: str, headers: list[tuple[str, str]],
                  exc_info: Any = None) -> Any:
            nonlocal answered
            answered = int(status[:3]), dict(headers).get('Location', '')
            return start_response(status, headers, exc_info)

        body = self._application(environ, start)
        noted = _Answered(
            datetime.datetime.now(datetime.UTC), environ['mogan.context'],
            method, urllib.parse.quote(path, encoding='latin-1'),
            environ.get('REMOTE_ADDR') or cadftaxonomy.UNKNOWN,
            types.clip(environ.get('HTTP_USER_AGENT', ''))[:_AGENT],
            *answered)
        if not self._aside.call(self._tell, noted):
            LOG.warning('Too many events of the audit wait; the one of %s '
                        'is lost', noted.caller.request_id)
        return body

    def _tell(self, noted: _Answered) -> None:
        try:
            self._send(EVENT, _event(
                noted, self._names, self._base).as_dict())
        except bus.BusError as error:
            LOG.warning('The event of the audit of %s is lost: %s',
                        noted.caller.request_id, error)


def _event(noted: _Answered, names: Any, base: str) -> event.Event:
    caller = noted.caller
    known = cadftaxonomy.UNKNOWN
    asked = _request(noted.method, noted.path, base)
    target = names.get_target_resource(asked)
    found = _UUID.search(noted.path if noted.code != 201 else noted.location)  # noqa: PLR2004
    if found:
        target.id = found[0].lower()
    made = event.Event(
        eventType=cadftype.EVENTTYPE_ACTIVITY,
        eventTime=noted.moment.strftime(timestamp.TIME_FORMAT),
        action=names.get_action(asked),
        outcome=(cadftaxonomy.OUTCOME_SUCCESS if noted.code < 400  # noqa: PLR2004
                 else cadftaxonomy.OUTCOME_FAILURE),
        initiator=audit.ClientResource(
            typeURI=cadftaxonomy.ACCOUNT_USER, id=caller.user_id or known,
            name=caller.user_name or caller.user_id or known,
            host=host.Host(address=noted.address,
                           agent=noted.agent or known),
            project_id=caller.project_id or known,
            request_id=caller.request_id,
            global_request_id=caller.global_request_id),
        target=target, observer=resource.Resource(id='target'),
        reason=reason.Reason(reasonType='HTTP', reasonCode=str(noted.code)))
    made.requestPath = noted.path
    return made


def _request(method: str, path: str, base: str) -> webob.Request:
    """The request as the library asks about it, without body, query and
    headers: for it the catalog has this service, whoever is asking."""
    return webob.Request.blank(
        # Quoted twice, for it decodes what the caller need not have encoded.
        urllib.parse.quote(path) or '/', method=method, base_url=base,
        environ={'HTTP_X_SERVICE_CATALOG': json.dumps([{
            'type': SERVICE, 'name': 'mogan', 'endpoints': [
                {'id': 'mogan', 'publicURL': base}]}])})


def _base(conf: Any, names: Any) -> str:
    """The address of the service, of which no request has a say: it could
    break its own event.  Raises ValueError."""
    group = conf.api
    base = (group.public_endpoint or '').rstrip('/') or (
        f'{"https" if group.tls_cert_file else "http"}://'
        f'{socket.gethostname()}:{group.port}')
    try:
        names.get_target_resource(_request('GET', '/', base))
    except ValueError as error:
        raise ValueError(f'[api] public_endpoint: {error}') from error
    return base


def read_map(path: str) -> Any:
    """The names of actions and targets.  Raises MapError."""
    try:
        return audit.OpenStackAuditApi(path, LOG)
    except (OSError, UnicodeDecodeError, configparser.Error,
            audit.PycadfAuditApiConfigError) as error:
        raise MapError(f'{path}: {error}') from error


def check(conf: Any) -> None:
    """Raise ValueError where the audit is on and cannot work."""
    if conf.audit.enabled:
        _base(conf, read_map(conf.audit.audit_map_file))
        options = _options(conf)
        if options.use_oslo_messaging:
            bus.check(conf, options.driver)
            if not (options.driver or bus.telling(conf)):
                raise ValueError(f'[{_OPTIONS}] driver: there is none')


def wrap(application: Callable[..., Any], conf: Any,
         ) -> tuple[Callable[..., Any], Callable[[], None]]:
    """The application with the audit around it, if so configured, and what
    ends the audit.

    Raises ValueError.
    """
    if not conf.audit.enabled:
        return application, _nothing
    options = _options(conf)
    if not options.use_oslo_messaging:
        audited = Audit(application, conf, _log)
        return audited, audited.close
    topics = (options.topics
              or conf.oslo_messaging_notifications.topics)
    channel = bus.Bus(conf, 'mogan-api', topics, driver=options.driver,
                      url=options.transport_url)
    audited = Audit(application, conf, channel.send)

    def close() -> None:
        audited.close()
        channel.close()
    return audited, close


def _options(conf: Any) -> Any:
    # Known of the library's group, too.
    bus.telling(conf)
    conf.register_opts(dict(audit.list_opts())[_OPTIONS], group=_OPTIONS)
    return conf[_OPTIONS]


def _nothing() -> None:
    pass


def _log(name: str, payload: dict[str, Any]) -> None:
    LOG.info('%s %s', name, json.dumps(payload))
