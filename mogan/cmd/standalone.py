# SPDX-License-Identifier: Apache-2.0
"""mogan-standalone: the whole service in one process, on its own files."""

import argparse
import contextlib
import gc
import ipaddress
import pathlib
import re
import shlex
import signal
import sys
import threading
from collections.abc import Iterator

from oslo_log import log

import mogan
from mogan import baremetal, metrics, policy, rpc, version
from mogan.api import app
from mogan.baremetal.driver import Driver, DriverError
from mogan.baremetal.simulated import SimulatedDriver, inventory
from mogan.cmd import database, engine, launch
from mogan.cmd.statedir import StateDir, StateDirError
from mogan.conf import CONF
from mogan.db import flavors, migrations
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried
from mogan.engine.client import EngineClient
from mogan.http_server import server
from mogan.notifications import bus

LOG = log.getLogger(__name__)

# SQLite lets the interpreter's lock go at every step: more threads wait for
# each other.
_THREADS = 3
# Seconds that a stop leaves to what is under way.
_GRACE = 10

_WELCOME = """\
Mogan answers at {endpoint}
The passwords of admin and demo are in {credentials}

  . {credentials}
  curl -u admin:$MOGAN_ADMIN_PASSWORD $MOGAN_ENDPOINT/v1/flavors
  curl -u demo:$MOGAN_DEMO_PASSWORD $MOGAN_ENDPOINT/v1/instances \\
       -H 'Content-Type: application/json' -d '{{"name": "web-1",
       "flavor_uuid": "{flavor}",
       "image_uuid": "5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10"}}'
  curl -u admin:$MOGAN_ADMIN_PASSWORD -X PUT \\
       $MOGAN_ENDPOINT/v1/instances/<uuid>/states/lock \\
       -H 'Content-Type: application/json' \\
       -d '{{"lock": {{"reason": "disk swap"}}}}'

{clouds} has clouds for the openstack command,
mogan-demo and, with its password:

  clouds:
    mogan:
      auth_type: http_basic
      auth: {{username: admin, password: ...}}
      baremetal_compute_endpoint_override: {endpoint}/v1
      vendor_hook: moganclient.sdk:vendor_hook

python-moganclient brings its commands along:

{install}  export OS_CLIENT_CONFIG_FILE={clouds} OS_CLOUD=mogan
  openstack baremetalcompute instance create web-2 --flavor {flavor} \\
       --image 5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10 --wait
  openstack baremetalcompute instance lock web-2

{guide}Ctrl-C stops the service.
"""
# Only where the service runs from its source.
_INSTALL = """\
  python3 -m venv .venv-client
  .venv-client/bin/pip install {client}
  PATH=$PWD/.venv-client/bin:$PATH
"""
_GUIDE = '{readme} goes on from there. '


@launch.command
def main() -> int:
    """Run until SIGTERM or Ctrl-C."""
    arguments = _parse()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # The terminal is gone: unless nohup says that this is no reason.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: stop.set())
    try:
        state = StateDir(arguments.state_dir)
        _configure(arguments, state)
        with _running(arguments, state):
            # Another thread may have been given the signal, which wakes
            # nobody up.
            while not stop.wait(1):
                pass
    except (StateDirError, database.Unusable, DriverError,
            server.AddressError, ValueError) as error:
        return launch.complain(error)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='mogan-standalone',
        description='Bare metal as a service in one process: API, engine, '
                    'SQLite and simulated hardware, unless mogan.conf in '
                    'the state directory names another driver; for a first '
                    'look, for tests and for small sites. Everything is '
                    'kept in the state directory and goes on from there at '
                    'the next start.')
    parser.add_argument('--host', default='127.0.0.1',
                        help='address to listen on (default: %(default)s)')
    parser.add_argument('--port', type=_port, default=6688,
                        help='port to listen on (default: %(default)s)')
    parser.add_argument('--state-dir', default='.mogan', metavar='DIR',
                        help='where everything is kept (default: '
                             '%(default)s)')
    parser.add_argument('--debug', action='store_true',
                        help='log every step')
    parser.add_argument('--version', action='version',
                        version=version.version_string())
    return parser.parse_args()


def _port(text: str) -> int:
    if not re.fullmatch(r'[0-9]{1,5}', text, re.ASCII) or (
            int(text) > 65535):  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f'{text} is no port')
    return int(text)


def _configure(arguments: argparse.Namespace, state: StateDir) -> None:
    """Set what makes the service standalone; a mogan.conf and a policy.yaml
    in the state directory may set the rest."""
    state.prepare(['--debug'] if arguments.debug else [])
    for name, value in (('host', arguments.host), ('port', arguments.port),
                        ('threads', _THREADS)):
        CONF.set_override(name, value, 'api')


@contextlib.contextmanager
def _running(arguments: argparse.Namespace,
             state: StateDir) -> Iterator[None]:
    """Run the service, from its first answer to its last."""
    with contextlib.ExitStack() as stack:
        stack.callback(state.abandon)
        db = stack.enter_context(
            database.opened(notifications=bus.enabled(CONF)))
        _upgrade(db)
        driver = baremetal.load(CONF)
        first_flavor = _furnish(db, driver)
        state.write_credentials('')
        transport = rpc.transport(CONF, 'fake://')
        stack.callback(transport.cleanup)
        port = CONF.metrics.api_port
        work = engine.build(db, metrics.watch(port, driver), transport,
                            _GRACE, metrics.observer(port))
        # Messages within the process are looked for now and then only.
        client = EngineClient(transport, CONF.engine.topic,
                              CONF.engine.call_timeout, hurry=work.hurry)
        stack.callback(client.close)
        application = app.Application(
            app.Services(db, client, policy.Policy(CONF),
                         app.settings(CONF)), CONF)
        stack.callback(application.close)
        front = server.build(
            arguments.host, arguments.port, application,
            threads=CONF.api.threads, timeout=CONF.api.timeout, grace=_GRACE,
            connections=CONF.api.max_connections)
        work.start()
        stack.callback(work.stop)
        serving = threading.Thread(target=front.serve, name='api')
        serving.start()
        stack.callback(serving.join)
        stack.callback(front.stop)
        stack.callback(metrics.serve(CONF, port, 'standalone', db))
        endpoint = _endpoint(arguments.host, front.bind_addr[1])
        state.write_credentials(endpoint)
        state.keep()
        # Nothing made so far is ever garbage: let no collection look at it.
        gc.collect()
        gc.freeze()
        _welcome(state, endpoint, first_flavor)
        _warn_of_plain_http(arguments.host)
        yield
        LOG.info('Stopping')


def _welcome(state: StateDir, endpoint: str, flavor: str) -> None:
    """Print the first steps."""
    source = pathlib.Path(mogan.__file__).parents[1]
    client, readme = source / 'python-moganclient', source / 'README.rst'
    print(_WELCOME.format(
        endpoint=endpoint, credentials=state.credentials,
        clouds=state.clouds, flavor=flavor,
        install=_INSTALL.format(client=shlex.quote(str(client)))
        if (client / 'setup.cfg').exists() else '',
        guide=_GUIDE.format(readme=readme) if readme.exists() else ''),
        flush=True)


@retried
def _upgrade(db: Database) -> None:
    migrations.upgrade(db)


def _furnish(db: Database, driver: Driver) -> str:
    """Nodes for an empty inventory of simulated ones, and a flavor for each
    class of nodes where there is no flavor; returns the uuid of a flavor."""
    if isinstance(driver, SimulatedDriver):
        driver.inventory.seed(inventory.default_nodes())
    rows, _ = flavors.page(db, hidden=True, limit=1)
    if not rows:
        rows = [flavors.create(db, {
            'name': name.removeprefix('CUSTOM_').lower().replace('_', '-'),
            'description': f'A whole node of the class {name}',
            'resources': {name: 1}, 'traits': [], 'is_public': True,
            'disabled': False}) for name in _classes(driver)]
    return rows[0].uuid if rows else '<flavor>'


def _classes(driver: Driver) -> list[str]:
    """Return the resource classes of the nodes that can be listed now."""
    try:
        return sorted({node.resource_class for node in driver.nodes()
                       if node.resource_class})
    except DriverError as error:
        LOG.warning('There are no flavors yet, for the nodes cannot be '
                    'listed: %s', error)
        return []


def _endpoint(host: str, port: int) -> str:
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            host = '127.0.0.1' if address.version == 4 else '::1'  # noqa: PLR2004
        if ':' in host:
            host = f'[{host}]'
    return f'http://{host}:{port}'


def _warn_of_plain_http(host: str) -> None:
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != 'localhost':
        LOG.warning('Passwords travel without encryption to %s: put a proxy '
                    'with TLS in front', host)


if __name__ == '__main__':
    sys.exit(main())
