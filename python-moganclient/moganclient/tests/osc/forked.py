# SPDX-License-Identifier: Apache-2.0
"""The `openstack` command, forked from a process that has imported it.

An interpreter of its own takes a second to import all of it, for each of
some hundred commands.
"""

import atexit
import contextlib
import functools
import gc
import importlib.metadata
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile

# What commands import as they need it.
_GROUPS = ('openstack.', 'cliff.', 'keystoneauth1.')
# Bytes: the words and the environment of a command.
_LONGEST = 100_000


class Source:
    """The process that the commands are forked from."""

    def __init__(self):
        self._socket, theirs = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, '-m', __name__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()], start_new_session=True)

    def run(self, command, environment, timeout):
        """Run a command; return its exit status, output and errors."""
        with (tempfile.TemporaryFile() as out,
              tempfile.TemporaryFile() as err):
            ours, theirs = os.pipe()
            with os.fdopen(ours, 'rb') as status:
                socket.send_fds(
                    self._socket,
                    [json.dumps([command, environment]).encode()],
                    [theirs, out.fileno(), err.fileno()])
                os.close(theirs)
                if not select.select([status], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(command, timeout)
                code = int(status.read())
            return (code, *(_content(file) for file in (out, err)))

    def close(self):
        """End it, and what is left of the commands."""
        self._socket.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _content(file):
    file.seek(0)
    return file.read().decode()


@functools.cache
def source():
    """Return the one of this process, which ends with it."""
    started = Source()
    atexit.register(started.close)
    return started


def _preload():
    for group in importlib.metadata.entry_points().groups:
        if not group.startswith(_GROUPS):
            continue
        for found in importlib.metadata.entry_points(group=group):
            # Some need what is not installed here.
            with contextlib.suppress(ImportError, AttributeError):
                found.load()
    # A collection in a command would copy all that it shares.
    gc.freeze()


def _serve(requests):
    """Fork a supervisor for each request; returns in the process of each
    command, with its words."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, files, _, _ = socket.recv_fds(requests, _LONGEST, 3)
        if not request:
            os._exit(0)
        if not os.fork():
            break
        for file in files:
            os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    requests.close()
    status, out, err = files
    child = os.fork()
    if child:
        _, code = os.waitpid(child, 0)
        os.write(status, str(os.waitstatus_to_exitcode(code)).encode())
        os._exit(0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for file in files:
        os.close(file)
    command, environment = json.loads(request)
    os.environ.clear()
    os.environ.update(environment)
    return command


if __name__ == '__main__':
    requests = socket.socket(fileno=int(sys.argv[1]))
    # It is looked at when the modules are imported.
    sys.argv = ['openstack']
    from openstackclient import shell

    _preload()
    sys.argv = _serve(requests)
    sys.exit(shell.main())
