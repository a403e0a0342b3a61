# SPDX-License-Identifier: Apache-2.0
"""The cost of authentication: GET of one instance without any, with a
password, and with a token of a real Keystone that is cached."""

import contextlib
import dataclasses
import itertools
import pathlib
import shutil
import sys
from collections.abc import Iterator
from typing import Any, Final

from oslo_config import cfg

from benchmarks import data, databases, ratios
from benchmarks import service as configured
from benchmarks.requests import Request
from benchmarks.results import Result
from mogan import conf as options
from mogan.tests.keystone import server
from mogan.tests.support.servers import Server

_GOAL: Final = 0.2  # ms
_TURN: Final = 100

_ASKS_NOBODY: Final = '[DEFAULT]\nauth_strategy = noauth\n'
_HTTP_BASIC: Final = """\
[DEFAULT]
auth_strategy = http_basic
http_basic_users_file = {directory}/users
"""
_KEYSTONE: Final = """\
[keystone_authtoken]
auth_url = {url}
www_authenticate_uri = {url}
auth_type = password
username = admin
password = admin
user_domain_name = Default
project_name = admin
project_domain_name = Default
"""
_MEMCACHED: Final = 'memcached_servers = 127.0.0.1:{port}\n'
_ENCRYPTED: Final = """\
memcache_security_strategy = ENCRYPT
memcache_secret_key = secret
"""


class _Memcached(Server):

    name = 'memcached'

    def start(self) -> None:
        """Start it; returns when it answers."""
        self.launch(['memcached', '-u', 'nobody', '-U', '0', '-l',
                     '127.0.0.1', '-p', str(self.port)])


@dataclasses.dataclass(frozen=True)
class _WithToken(Request):
    """One with both; who does not ask for a token passes it over."""

    token: str = ''

    def headers(self) -> dict[str, str]:
        """Return the headers of a client."""
        return super().headers() | {'X-Auth-Token': self.token}


def measure(directory: pathlib.Path, rounds: int) -> list[Result]:
    """Measure the time that each kind of authentication adds to a request."""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(databases.made('sqlite', directory))
        data.fill(place, data.SMALL)
        configured.prepare(configured.write(directory, place))
        keystone = stack.enter_context(contextlib.closing(server.Keystone()))
        keystone.start()
        keystone.make_endpoint('identity', 'keystone', keystone.url)
        token = keystone.log_in('admin', server.in_project('admin'))
        uuids = data.uuids(place, project=data.PROJECTS[0])
        ways = {'nobody': _ASKS_NOBODY,
                'a password': _HTTP_BASIC.format(directory=directory),
                **_tokens(keystone.url, stack)}
        columns = [
            (configured.application(place, _conf(directory, text)),
             _requests(uuids, token)) for text in ways.values()]
        _turn(columns)  # warms up
        spent = dict(zip(ways, ratios.least(
            _turn(columns) for _ in range(rounds)), strict=True))
    least = spent.pop('nobody')
    return [result for name, one in spent.items() for result in (
        _result(f'{name}, CPU', one.cpu, least.cpu,
                _GOAL if 'token' in name else None),
        _result(f'{name}, wall', one.wall, least.wall))]


def _tokens(url: str, stack: contextlib.ExitStack) -> dict[str, str]:
    found = {'a token, in the process': _KEYSTONE.format(url=url)}
    if shutil.which('memcached') is None:
        print('keystone: without memcached, which is not installed',
              file=sys.stderr)
        return found
    memcached = stack.enter_context(contextlib.closing(_Memcached()))
    memcached.start()
    shared = (found['a token, in the process']
              + _MEMCACHED.format(port=memcached.port))
    return found | {'a token, in memcached': shared,
                    'a token, encrypted there': shared + _ENCRYPTED}


def _conf(directory: pathlib.Path, text: str) -> cfg.ConfigOpts:
    path = directory / 'identity.conf'
    path.write_text(f'[api]\nhost = 127.0.0.1\n{text}', encoding='utf-8')
    conf = cfg.ConfigOpts()
    for group in options._GROUPS:  # noqa: SLF001 - as list_opts has them
        group.register_opts(conf)
    conf([], default_config_files=[str(path)], default_config_dirs=[])
    return conf


def _requests(uuids: list[str], token: str) -> Iterator[Request]:
    return itertools.cycle([
        _WithToken('GET', f'/v1/instances/{uuid}', configured.ADMIN,
                   token=token) for uuid in uuids])


def _turn(columns: list[tuple[Any, Iterator[Request]]],
          ) -> list[ratios.Spent]:
    with ratios.uncollected():
        return [ratios.mean(application, list(itertools.islice(
            series, _TURN))) for application, series in columns]


def _result(name: str, mine: float, least: float,
            goal: float | None = None) -> Result:
    return Result(name, 'sqlite', (mine - least) / 1e3, 'ms', goal,
                  f'{mine:.0f} - {least:.0f} us')
