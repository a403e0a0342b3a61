# SPDX-License-Identifier: Apache-2.0
"""The directory that a standalone service keeps everything in."""

import contextlib
import fcntl
import json
import os
import pathlib
import secrets
import stat
import tempfile
from typing import IO, Final

from mogan.api.identity import users
from mogan.baremetal.database import make_file

# The accounts of the first start: name, project, role.
_ACCOUNTS: Final = (('admin', 'admin', 'admin'), ('demo', 'demo', 'member'))
_ENDPOINT: Final = 'MOGAN_ENDPOINT'


class StateDirError(Exception):
    """The directory cannot be used; the text says why."""


class StateDir:
    """Paths and passwords; held by one process at a time.

    Raises StateDirError.
    """

    def __init__(self, path: str) -> None:
        self.path = pathlib.Path(path).absolute()
        self.database = self.path / 'mogan.sqlite'
        self.inventory = self.path / 'inventory.sqlite'
        self.users = self.path / 'users'
        self.credentials = self.path / 'credentials.env'
        self.clouds = self.path / 'clouds.yaml'
        self.policy = self.path / 'policy.yaml'
        self.config = self.path / 'mogan.conf'
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._held = self._hold()
            for database in (self.database, self.inventory):
                _close_to_others(database)
        except OSError as error:
            raise StateDirError(f'the state directory {self.path} cannot be '
                                f'used: {error.strerror}') from error

    def _hold(self) -> IO[str]:
        held = (self.path / 'lock').open('a', encoding='utf-8')
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            raise StateDirError(f'another service runs on the state '
                                f'directory {self.path}') from None
        return held

    def write_credentials(self, endpoint: str) -> None:
        """Make the accounts on the first start; afterwards only the
        endpoint changes, there and in the clouds.yaml for openstackclient.

        The passwords' file is written last: without it both accounts are
        made anew, and others stay.  Raises UsersFileError.
        """
        names = [_password_name(name) for name, _, _ in _ACCOUNTS]
        known = self._read_credentials()
        if not self.users.exists() or not all(map(known.get, names)):
            known = {name: secrets.token_urlsafe(18) for name in names}
            made = {name: users.User(name, users.make_hash(
                known[_password_name(name)]), project, (role,))
                for name, project, role in _ACCOUNTS}
            others = (users.read(self.users) if self.users.exists() else {})
            users.write(self.users, (others | made).values())
        values = {_ENDPOINT: endpoint} | {name: known[name]
                                          for name in names}
        if endpoint:
            self._replace(self.clouds, _clouds(endpoint, known))
        self._replace(self.credentials, ''.join(
            f'{name}={value}\n' for name, value in values.items()))

    def _read_credentials(self) -> dict[str, str]:
        if not self.credentials.exists():
            return {}
        lines = self.credentials.read_text(encoding='utf-8').splitlines()
        return dict(line.split('=', 1) for line in lines if '=' in line)

    def _replace(self, path: pathlib.Path, text: str) -> None:
        # NamedTemporaryFile makes it with the mode 0600.
        with tempfile.NamedTemporaryFile(
                'w', encoding='utf-8', dir=self.path, delete=False) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        pathlib.Path(file.name).replace(path)


def _close_to_others(database: pathlib.Path) -> None:
    """SQLite gives the modes of the file to those beside it."""
    make_file(database, 0o600)
    for suffix in ('', '-wal', '-shm'):
        path = database.with_name(database.name + suffix)
        with contextlib.suppress(FileNotFoundError):
            found = path.lstat()
            mode = stat.S_IMODE(found.st_mode)
            # What a group may, somebody may have wanted.
            if (stat.S_ISREG(found.st_mode) and mode & 0o007
                    and os.geteuid() in {0, found.st_uid}):
                path.chmod(mode & ~0o007)


def _clouds(endpoint: str, passwords: dict[str, str]) -> str:
    """A cloud for each account; nothing in it but what JSON has as well."""
    return json.dumps({'clouds': {
        cloud: {
            'auth_type': 'http_basic',
            'auth': {'username': name,
                     'password': passwords[_password_name(name)]},
            'baremetal_compute_endpoint_override': f'{endpoint}/v1'}
        for cloud, name in (('mogan', 'admin'), ('mogan-demo', 'demo'))}},
        indent=2) + '\n'


def _password_name(user: str) -> str:
    return f'MOGAN_{user.upper()}_PASSWORD'
