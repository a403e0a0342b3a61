# SPDX-License-Identifier: Apache-2.0
"""A client of Ironic: its address, authentication, and reads."""

import dataclasses
import threading
from collections.abc import Mapping
from typing import Any, Final

import keystoneauth1.adapter
import keystoneauth1.exceptions
import keystoneauth1.loading
import keystoneauth1.session
import requests
import requests.adapters
import tenacity
from oslo_config import cfg
from oslo_log import log

from mogan.baremetal import driver
from mogan.baremetal.ironic import responses
from mogan.baremetal.ironic.connection import Connection, tls

LOG = log.getLogger(__name__)

# What we ask for, of whichever Ironic: the newest thing that we need is a
# config drive as an object.
VERSION: Final = (1, 56)
_RELEASE: Final = '12.1 (Stein)'
_HEADER: Final = 'X-OpenStack-Ironic-API-Version'
_READ_TRIES: Final = 4
# Connections that are kept, at most: as many as an engine has threads.
_POOL: Final = 256


class TooOld(driver.Unavailable):
    """Ironic does not know what we need."""


class _Transient(driver.Unavailable):
    """A read failed in a way that a retry may mend."""


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """The entry of Ironic in the catalog, unless `url` is its address."""

    url: str | None = None
    service_type: str = 'baremetal'
    service_name: str | None = None
    interfaces: tuple[str, ...] = ('internal', 'public')
    region: str | None = None


class Client:
    """Reads, and connections for changes; safe to share between threads.

    `limit`: seconds that a request, or all that is asked in one connection,
    may take.
    """

    def __init__(self, auth: Any, endpoint: Endpoint, limit: float,
                 verify: bool | str = True,
                 cert: str | tuple[str, str] | None = None) -> None:
        plain = requests.Session()
        # The connections of changes know no proxy and no .netrc either.
        plain.trust_env = False
        for scheme in ('http://', 'https://'):
            plain.mount(scheme, requests.adapters.HTTPAdapter(
                pool_maxsize=_POOL))
        self.limit = limit
        self._auth = auth
        self._endpoint = endpoint
        self._verify = verify
        self._cert = cert
        self._session = keystoneauth1.session.Session(
            auth=auth, session=plain, verify=verify, cert=cert,
            timeout=limit, user_agent='mogan')
        self._plain = plain
        self._lock = threading.Lock()
        self._base: str | None = None

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, group: str) -> 'Client':
        """Make a client from keystoneauth's options.  Raises ValueError."""
        options = conf[group]
        if not options.auth_type and not options.auth_section:
            raise ValueError(f'[{group}] auth_type is not set: none, '
                             f'http_basic or password')
        try:
            auth = keystoneauth1.loading.load_auth_from_conf_options(
                conf, group)
        except keystoneauth1.exceptions.ClientException as error:
            raise ValueError(f'[{group}] {error}') from error
        verify = False if options.insecure else options.cafile or True
        cert = options.certfile
        if cert and options.keyfile:
            cert = (cert, options.keyfile)
        for name, *files in (('cafile', verify, None),
                             ('certfile, keyfile', False, cert)):
            try:
                tls(*files)
            except OSError as error:
                raise ValueError(f'[{group}] {name}: {error}') from error
        return cls(
            auth, Endpoint(options.endpoint_override, options.service_type,
                        options.service_name,
                        tuple(options.valid_interfaces),
                        options.region_name),
            options.timeout, verify, cert)

    def get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is at a path; retried for a second or two on transient
        errors.  Raises Unavailable, NotOurs, Refused."""
        for attempt in tenacity.Retrying(
                retry=tenacity.retry_if_exception_type(_Transient),
                stop=tenacity.stop_after_attempt(_READ_TRIES),
                wait=tenacity.wait_random_exponential(0.1, 1), reraise=True):
            with attempt:
                return self._get(path, query)
        raise AssertionError

    def check(self) -> None:
        """Check that we may see every node; Unavailable if not.

        A user who may list the conductors may see every node: both require
        the role reader of the system, or the role service.
        """
        self.get('/v1/conductors', {'limit': 1})

    def assert_sees_all(self) -> None:
        """Check that a node which is not found is gone; Unavailable if not."""
        try:
            self.check()
        except driver.Unavailable as error:
            raise driver.Unavailable(
                f'a node was not found, and it is not certain that it is '
                f'gone: {error}') from error

    def connect(self, permit: driver.Permit) -> Connection:
        """Return a context with a connection for the changes of one call."""
        base = self.base()
        try:
            headers = self._session.get_auth_headers(self._auth) or {}
        except keystoneauth1.exceptions.ClientException as error:
            raise _unavailable('Keystone gives no token', error) from error
        return Connection(base, headers | {_HEADER: _text(VERSION)},
                          self.limit, permit, self._verify, self._cert)

    def forget_token(self) -> None:
        """Get a new one for the next request."""
        self._session.invalidate(self._auth)

    def base(self) -> str:
        """Return Ironic's address, once it is found and speaks our version.

        Raises Unavailable, TooOld.
        """
        with self._lock:
            if self._base is None:
                base = self._find()
                self._negotiate(base)
                self._base = base
            return self._base

    def close(self) -> None:
        self._plain.close()

    def _find(self) -> str:
        adapter = keystoneauth1.adapter.Adapter(
            self._session, auth=self._auth,
            endpoint_override=self._endpoint.url,
            service_type=self._endpoint.service_type,
            service_name=self._endpoint.service_name,
            interface=list(self._endpoint.interfaces),
            region_name=self._endpoint.region)
        try:
            url = adapter.get_endpoint()
        except keystoneauth1.exceptions.ClientException as error:
            raise _unavailable('Ironic was not found', error) from error
        if not url:
            raise driver.Unavailable(
                'Ironic was not found: the catalog does not have it, and no '
                'endpoint_override is set')
        return url.rstrip('/').removesuffix('/v1')

    def _negotiate(self, base: str) -> None:
        answer = self._request(f'{base}/v1', authenticated=False)
        responses.check_read(answer)
        try:
            spoken = answer.json()['version']
            lowest, highest = (_numbers(spoken[name])
                               for name in ('min_version', 'version'))
        except (KeyError, TypeError, ValueError):
            raise driver.Unavailable(
                f'what answers at {base} is not Ironic') from None
        if not lowest <= VERSION <= highest:
            raise TooOld(
                f'Ironic at {base} speaks the API versions {_text(lowest)} '
                f'to {_text(highest)}, and {_text(VERSION)} is needed: that '
                f'is Ironic {_RELEASE} or newer')
        LOG.info('Ironic at %s speaks the API versions %s to %s', base,
                 _text(lowest), _text(highest))

    def _get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._request(self.base() + path, query)
        if answer.transient:
            raise _Transient(f'Ironic answered {answer.status}: {answer.text}')
        if answer.status == 406:  # noqa: PLR2004
            self._base = None   # another Ironic than before
        return responses.found(answer, path, query)

    def _request(self, url: str, query: Mapping[str, Any] | None = None, *,
                 authenticated: bool = True) -> responses.Answer:
        headers = {'Accept': 'application/json'}
        if authenticated:
            headers[_HEADER] = _text(VERSION)
        try:
            # What we log in with is for nobody else.
            response = self._session.get(
                url, params=query, headers=headers, raise_exc=False,
                authenticated=authenticated, redirect=False)
        except keystoneauth1.exceptions.ClientException as error:
            self._base = None   # the catalog may know better by now
            raise _unavailable('Ironic cannot be reached', error) from error
        return responses.Answer(response.status_code, response.content,
                                response.headers.get('openstack-request-id'))


def _unavailable(what: str, error: Exception) -> driver.Unavailable:
    # Ironic's own 401 is an answer and no error.
    if isinstance(error, keystoneauth1.exceptions.Unauthorized):
        what = 'Keystone does not take the user and the password'
    return driver.Unavailable(f'{what}: {error}')


def _numbers(text: str) -> tuple[int, int]:
    major, minor = text.split('.')
    return int(major), int(minor)


def _text(version: tuple[int, int]) -> str:
    return '{}.{}'.format(*version)
