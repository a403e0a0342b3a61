# SPDX-License-Identifier: Apache-2.0
"""The service, configured as a deployment would be."""

import base64
import functools
import pathlib
import sys
from collections.abc import Callable
from typing import Any, Final

from benchmarks import data
from benchmarks.databases import Place
from mogan import policy, rpc
from mogan.api import app
from mogan.cmd import launch
from mogan.conf import CONF
from mogan.engine.client import EngineClient
from mogan.tests.support.services import write_users

# Name, project, role; each one's password is the name.
OWNER: Final = ('owner', data.PROJECTS[0], 'member')
ADMIN: Final = ('admin', data.PROJECTS[1], 'admin')

_CONFIG: Final = """\
[DEFAULT]
transport_url = fake://
auth_strategy = http_basic
http_basic_users_file = {directory}/users
log_file = {directory}/mogan.log
use_stderr = false

[api]
host = 127.0.0.1
port = {port}
workers = 1

[database]
connection = {url}

[simulated]
inventory = {directory}/inventory.sqlite

[oslo_policy]
policy_file = {directory}/policy.yaml
"""


def write(directory: pathlib.Path, place: Place, port: int = 0,
          ) -> pathlib.Path:
    """Write the files that a service needs; returns that of the
    configuration."""
    write_users(directory / 'users', (OWNER, ADMIN))
    (directory / 'policy.yaml').write_text('{}\n', encoding='utf-8')
    path = directory / 'mogan.conf'
    path.write_text(_CONFIG.format(directory=directory, url=place.url,
                                   port=port), encoding='utf-8')
    return path


@functools.cache
def prepare(config: pathlib.Path) -> None:
    """Read the configuration; what it holds when it is read again does not
    count, for options are made known once in a process."""
    launch.prepare(['--config-file', str(config)], config_files=[])
    # Errors belong on the terminal, not in the log.
    sys.excepthook = sys.__excepthook__


def application(place: Place, conf: Any = CONF) -> Callable[..., Any]:
    """Return the API over a database, without an engine: its messages are
    sent, but nobody receives them; `conf` sets the authentication."""
    client = EngineClient(rpc.transport(CONF), CONF.engine.topic)
    return app.Application(
        app.Services(place.open(), client, policy.Policy(CONF),
                     app.settings(CONF)), conf)


@functools.cache
def authorization(user: tuple[str, str, str]) -> str:
    """Return the header for HTTP basic authentication."""
    token = base64.b64encode(f'{user[0]}:{user[0]}'.encode()).decode()
    return f'Basic {token}'
