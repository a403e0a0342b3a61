# SPDX-License-Identifier: Apache-2.0
"""Audit: a CADF event for each request that would change something.

keystonemiddleware's audit middleware sends the same events, and its options
are used here; in its place it stays out of the way.  Behind the
authentication it would not hear of a refusal by it, and in front of it not of
the user; it knows callers by the headers of Keystone only, puts a part of the
token into its events, and sends them while the caller waits, for ever where
the broker is away.
"""

import datetime
import json
import re
import socket
import urllib.parse
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from keystonemiddleware import audit
from oslo_config import cfg
from oslo_log import log
from pycadf import (
    cadftaxonomy,
    cadftype,
    endpoint,
    event,
    host,
    reason,
    resource,
    timestamp,
)

from mogan import background
from mogan.api import types
from mogan.notifications import bus

LOG = log.getLogger(__name__)

SERVICE: Final = 'service/baremetal_compute'
EVENT: Final = 'audit.http.response'
_OPTIONS: Final = 'audit_middleware_notifications'
_AGENT: Final = 255
_UUID: Final = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
                          re.IGNORECASE | re.ASCII)

# Collections, and the type of their members.
_MEMBERS: Final = {'instances': 'instance', 'servers': 'instance',
                   'flavors': 'flavor', 'nodes': 'node'}
# The resources below an instance's states, and the action of their PUT.
_STATES: Final = {'lock': 'update/lock', 'unlock': 'update/unlock',
                  'power': 'update/power', 'provision': 'update/rebuild'}
# Other segments of a path that belong to the type of its target.
_PARTS: Final = frozenset({'manageable_servers', 'states', *_STATES})
_ACTIONS: Final = {
    'GET': cadftaxonomy.ACTION_READ, 'HEAD': cadftaxonomy.ACTION_READ,
    'POST': cadftaxonomy.ACTION_UPDATE, 'PUT': cadftaxonomy.ACTION_UPDATE,
    'PATCH': cadftaxonomy.ACTION_UPDATE,
    'DELETE': cadftaxonomy.ACTION_DELETE}
# Where the method alone does not tell; the end of the path does.
_ACTIONS_BELOW: Final = {
    **{('PUT', name): action for name, action in _STATES.items()},
    ('POST', 'manageable_servers'): 'create/adopt',
    **{(method, name): action for name in (*_MEMBERS, *_PARTS)
       for method, action in (('GET', cadftaxonomy.ACTION_LIST),
                              ('POST', cadftaxonomy.ACTION_CREATE))
       if (method, name) != ('POST', 'manageable_servers')}}

# The ids of users and projects are what the identity has.
warnings.filterwarnings('ignore', message='Invalid uuid: ')


class _Answered(NamedTuple):
    """A request and its answer, as far as an auditor may know them."""

    time: datetime.datetime
    caller: Any
    method: str
    path: str
    address: str
    agent: str
    code: int
    location: str


class Audit:
    """WSGI middleware: what is answered is told of by another thread."""

    def __init__(self, application: WSGIApplication, conf: cfg.ConfigOpts,
                 send: Callable[[str, dict[str, Any]], None],
                 end: Callable[[], None] | None = None) -> None:
        self._application = application
        self._ignored = {name.upper() for name
                         in conf.audit.ignore_req_list}
        self._base = _base(conf)
        self._send = send
        self._end = end
        self._queue = background.BackgroundQueue('audit')

    def close(self) -> None:
        """Send the last events."""
        self._queue.close()
        if self._end:
            self._end()

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
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
        if not self._queue.call(self._tell, noted):
            LOG.warning('Too many events of the audit wait; the one of %s '
                        'is lost', noted.caller.request_id)
        return body

    def _tell(self, noted: _Answered) -> None:
        try:
            self._send(EVENT, _event(noted, self._base).as_dict())
        except bus.BusError as error:
            LOG.warning('The event of the audit of %s is lost: %s',
                        noted.caller.request_id, error)


def _event(noted: _Answered, base: str) -> event.Event:
    caller = noted.caller
    unknown = cadftaxonomy.UNKNOWN
    initiator = resource.Resource(
        typeURI=cadftaxonomy.ACCOUNT_USER, id=caller.user_id or unknown,
        name=caller.user_name or caller.user_id or unknown,
        host=host.Host(address=noted.address, agent=noted.agent or unknown))
    initiator.project_id = caller.project_id or unknown
    initiator.request_id = caller.request_id
    if caller.global_request_id is not None:
        initiator.global_request_id = caller.global_request_id
    made = event.Event(
        eventType=cadftype.EVENTTYPE_ACTIVITY,
        eventTime=noted.time.strftime(timestamp.TIME_FORMAT),
        action=_action(noted.method, noted.path),
        outcome=(cadftaxonomy.OUTCOME_SUCCESS if noted.code < 400  # noqa: PLR2004
                 else cadftaxonomy.OUTCOME_FAILURE),
        initiator=initiator, target=_target(noted, base),
        observer=resource.Resource(id='target'),
        reason=reason.Reason(reasonType='HTTP', reasonCode=str(noted.code)))
    made.requestPath = noted.path
    return made


def _action(method: str, path: str) -> str:
    last = path.rstrip('/').rpartition('/')[2]
    return (_ACTIONS_BELOW.get((method, last))
            or _ACTIONS.get(method, cadftaxonomy.UNKNOWN))


def _target(noted: _Answered, base: str) -> resource.Resource:
    found = _UUID.search(noted.path if noted.code != 201 else noted.location)  # noqa: PLR2004
    target = resource.Resource(
        typeURI='/'.join((SERVICE, *_kinds(noted.path))), name='mogan',
        id=found[0].lower() if found else 'mogan')
    for name, url in (('admin', cadftaxonomy.UNKNOWN),
                      ('private', cadftaxonomy.UNKNOWN), ('public', base)):
        target.add_address(endpoint.Endpoint(url=url, name=name))
    return target


def _kinds(path: str) -> Iterator[str]:
    """Return a path's segments with the kinds of members for their names."""
    before = ''
    for segment in path.split('/'):
        if segment in _MEMBERS or segment in _PARTS:
            yield segment
        elif segment and before in _MEMBERS:
            yield _MEMBERS[before]
        before = segment


def _base(conf: cfg.ConfigOpts) -> str:
    """Return the address of the service, of which no request has a say: it
    could break its own event.  Raises ValueError."""
    group = conf.api
    base = (group.public_endpoint or '').rstrip('/') or (
        f'{"https" if group.tls_cert_file else "http"}://'
        f'{socket.gethostname()}:{group.port}')
    try:
        parts = urllib.parse.urlsplit(base)
        if parts.query or parts.fragment:
            raise ValueError(f'{base} has a query or fragment')
        _ = parts.port
    except ValueError as error:
        raise ValueError(f'[api] public_endpoint: {error}') from error
    return base


def check(conf: cfg.ConfigOpts) -> None:
    """Raise ValueError where the audit is on and cannot work."""
    if conf.audit.enabled:
        _base(conf)
        options = _options(conf)
        if options.use_oslo_messaging:
            bus.check(conf, options.driver)
            if not (options.driver or bus.enabled(conf)):
                raise ValueError(f'[{_OPTIONS}] driver: there is none')


def wrap(application: WSGIApplication,
         conf: cfg.ConfigOpts) -> WSGIApplication:
    """Return the application with the audit around it, if so configured.

    Raises ValueError.
    """
    if not conf.audit.enabled:
        return application
    options = _options(conf)
    if not options.use_oslo_messaging:
        return Audit(application, conf, _log)
    topics = (options.topics
              or conf.oslo_messaging_notifications.topics)
    channel = bus.Bus(conf, 'mogan-api', topics, driver=options.driver,
                      url=options.transport_url)
    return Audit(application, conf, channel.send, channel.close)


def _options(conf: cfg.ConfigOpts) -> Any:
    # Known of the library's group, too.
    bus.enabled(conf)
    conf.register_opts(dict(audit.list_opts())[_OPTIONS], group=_OPTIONS)
    return conf[_OPTIONS]


def _log(name: str, payload: dict[str, Any]) -> None:
    LOG.info('%s %s', name, json.dumps(payload))
