# SPDX-License-Identifier: Apache-2.0
"""Real programs between the service and its database: PgBouncer, which
pools by transaction, and HAProxy, which forwards TCP."""

import os
import unittest

import sqlalchemy as sa

from mogan.tests.support import processes
from mogan.tests.support.servers import Server

# PgBouncer refuses to be root.
_ACCOUNT = 'nobody'

_PGBOUNCER = """\
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {pool_mode}
default_pool_size = {size}
max_client_conn = 500
server_login_retry = 1
"""

_HAPROXY = """\
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout check 2s
    default-server check inter 500ms fall 2 rise 1 {cut}
listen database
    bind 127.0.0.1:{port}
{check}
{servers}
"""
# Otherwise clients stay with a server that has been given up, and old
# writers with their backup.
_CUT = 'on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions'


def require(program: str) -> str:
    """Return the program's path.

    Skips the test where it is not installed, but fails it where everything
    has to be (CI is set).
    """
    found = processes.find(program)
    if found is None:
        reason = f'{program} is not installed'
        if os.environ.get('CI', '').lower() in {'1', 'true'}:
            raise AssertionError(reason)
        raise unittest.SkipTest(reason)
    return found


class PgBouncer(Server):
    """One in front of the PostgreSQL of `server`; `url` leads through it.

    All clients share `size` connections to each database.
    """

    name = 'pgbouncer'

    def __init__(self, server: sa.URL, *, size: int = 4,
                 pool_mode: str = 'transaction') -> None:
        self._program = require(self.name)
        super().__init__()
        self.url = server.set(host='127.0.0.1', port=self.port)
        self._configuration = self.directory / 'pgbouncer.ini'
        there = {'host': server.host or '127.0.0.1',
                 'port': server.port or 5432, 'user': server.username,
                 'password': server.password}
        self._configuration.write_text(_PGBOUNCER.format(
            port=self.port, pool_mode=pool_mode, size=size,
            server=' '.join(f'{name}={value}' for name, value
                            in there.items() if value)))

    def start(self) -> None:
        account = ['-u', _ACCOUNT] if os.geteuid() == 0 else []
        self.launch([self._program, *account, str(self._configuration)])


class HAProxy(Server):
    """One in front of `addresses`; each but the first is a backup."""

    name = 'haproxy'

    def __init__(self, *addresses: tuple[str, int],
                 check: str = '') -> None:
        self._program = require(self.name)
        super().__init__()
        self._configuration = self.directory / 'haproxy.cfg'
        self._configuration.write_text(_HAPROXY.format(
            port=self.port, cut=_CUT,
            check=check and f'    {check}', servers='\n'.join(
                f'    server server-{number} {host}:{port}'
                f'{" backup" if number else ""}'
                for number, (host, port) in enumerate(addresses))))

    def start(self) -> None:
        self.launch([self._program, '-db', '-f', str(self._configuration)])
