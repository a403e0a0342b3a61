# SPDX-License-Identifier: Apache-2.0
"""The real service, as a process on a free port.

`MOGAN_TEST_PYTHON` is an interpreter that has the service installed; unless
it is set, the tests' own is taken.
"""

import importlib.util
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

import openstack

from moganclient import sdk

IMAGE = '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10'
OTHER_IMAGE = '0b6f2a7e-93a4-4d1c-8a52-6f0d3c9e2b41'
# Seconds: a busy machine may take its time to start an interpreter.
_START = 90.0


def python():
    """Return the interpreter that runs the service, or None."""
    configured = os.environ.get('MOGAN_TEST_PYTHON')
    if configured:
        return configured
    return sys.executable if importlib.util.find_spec('mogan') else None


def _free_port():
    # The service's own choice, with --port 0, could not be taken again while
    # a client keeps a connection to the one before.
    with socket.create_server(('127.0.0.1', 0)) as found:
        return found.getsockname()[1]


class Service:
    """A service with simulated hardware in a directory of its own.

    Pass the directory of one that has been stopped to go on from there, and
    its port to be found at the same address.
    """

    def __init__(self, directory=None, port=None):
        self._temporary = None
        if directory is None:
            self._temporary = tempfile.TemporaryDirectory(
                prefix='moganclient-')
            directory = pathlib.Path(self._temporary.name) / 'state'
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self._log = (self.directory / 'log').open('ab')
        self._process = subprocess.Popen(
            [python(), '-m', 'mogan.cmd.standalone',
             '--port', str(port or _free_port()),
             '--state-dir', str(self.directory)], stdout=subprocess.PIPE,
            stderr=self._log)
        self._wait_for_welcome()

    def _wait_for_welcome(self):
        seen = b''
        end = time.monotonic() + _START
        while b'Ctrl-C' not in seen:
            ready, _, _ = select.select(
                [self._process.stdout], [], [], end - time.monotonic())
            part = os.read(self._process.stdout.fileno(), 4096)
            if not ready or not part:
                self.stop(signal.SIGKILL)
                raise AssertionError(
                    f'The service did not start:\n'
                    f'{(self.directory / "log").read_text()}')
            seen += part

    @property
    def credentials(self):
        """Return the credentials that the service has written for its
        users."""
        lines = (self.directory / 'credentials.env').read_text().split()
        return dict(line.split('=', 1) for line in lines)

    @property
    def endpoint(self):
        """Return the URL, without a version."""
        return self.credentials['MOGAN_ENDPOINT']

    @property
    def port(self):
        return int(self.endpoint.rpartition(':')[2])

    def auth(self, user='admin'):
        """Return a user's arguments for keystoneauth's http_basic."""
        return {'endpoint': self.endpoint, 'username': user,
                'password': self.credentials[f'MOGAN_{user.upper()}_PASSWORD']}

    def connect(self, user='admin', **options):
        """Return a connection of openstacksdk with the service in it."""
        return sdk.add_to(openstack.connect(
            load_yaml_config=False, load_envvars=False,
            auth_type='http_basic', auth=self.auth(user), **options))

    def stop(self, number=signal.SIGTERM):
        """End the process; what it has written down stays until `close`."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        self._process.communicate(timeout=_START)
        self._log.close()

    def close(self):
        """End the process and remove everything."""
        self.stop()
        if self._temporary:
            self._temporary.cleanup()
