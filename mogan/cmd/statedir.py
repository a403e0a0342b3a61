# SPDX-License-Identifier: Apache-2.0
"""The state directory of a standalone service."""

import argparse
import contextlib
import fcntl
import os
import pathlib
import secrets
import stat
import sys
from collections.abc import Sequence
from typing import IO, Final

import yaml
from oslo_config import cfg
from oslo_policy import opts as policy_opts

from mogan.api.middleware.auth import users
from mogan.baremetal.simulated.sqlite import make_file
from mogan.cmd import launch
from mogan.conf import CONF

# The accounts of the first start: name, project, role.
_ACCOUNTS: Final = (('admin', 'admin', 'admin'), ('demo', 'demo', 'member'))
_ENDPOINT: Final = 'MOGAN_ENDPOINT'


class StateDirError(Exception):
    """The state directory cannot be used; the text gives the reason."""


class Layout:
    """The paths in a state directory, and the configuration that they
    imply."""

    def __init__(self, path: str) -> None:
        self.path = pathlib.Path(path).absolute()
        self.database = self.path / 'mogan.sqlite'
        self.inventory = self.path / 'inventory.sqlite'
        self.users = self.path / 'users'
        self.credentials = self.path / 'credentials.env'
        self.clouds = self.path / 'clouds.yaml'
        self.policy = self.path / 'policy.yaml'
        self.config = self.path / 'mogan.conf'

    def prepare(self, arguments: Sequence[str]) -> None:
        """Read the command line and the mogan.conf of the directory, where
        there is one, and set the options that make the service standalone."""
        launch.prepare(arguments, config_files=(
            [str(self.config)] if self.config.exists() else []))
        fixed: list[tuple[str, str, str | None]] = [
            ('auth_strategy', 'http_basic', None),
            ('http_basic_users_file', str(self.users), None),
            ('connection', f'sqlite:///{self.database}', 'database'),
            ('inventory', str(self.inventory), 'simulated'),
        ]
        for name, value, group in fixed:
            CONF.set_override(name, value, group)
        policy_opts.set_defaults(CONF, policy_file=str(self.policy))


def prepare() -> None:
    """Read the configuration: of the standalone service in --state-dir if
    given, otherwise of mogan.conf. Raises StateDirError."""
    CONF.register_cli_opt(cfg.StrOpt(
        'state-dir', metavar='DIR',
        help='state directory of mogan-standalone, instead of a '
             'configuration file'))
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument('--state-dir')
    path = parser.parse_known_args()[0].state_dir
    if path is None:
        launch.prepare()
        return
    layout = Layout(path)
    if not layout.database.exists():
        raise StateDirError(f'no mogan-standalone has run in '
                            f'{layout.path}')
    layout.prepare(sys.argv[1:])


class StateDir(Layout):
    """Paths and passwords; held by one process at a time.

    Raises StateDirError.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._made: list[pathlib.Path] = []
        try:
            self._made = self._find_missing()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._held = self._hold()
            for database in (self.database, self.inventory):
                _close_to_others(database)
        except OSError as error:
            self.abandon()
            raise StateDirError(f'the state directory {self.path} cannot be '
                                f'used: {error.strerror}') from error

    def _find_missing(self) -> list[pathlib.Path]:
        """Return the files that a first start creates, the innermost first."""
        if self.path.exists() and any(self.path.iterdir()):
            return []
        files = [path.with_name(path.name + suffix)
                 for path in (self.database, self.inventory)
                 for suffix in ('', '-wal', '-shm', '-journal')]
        files += [self.users, self.credentials, self.clouds,
                  self.path / 'lock']
        return files + [path for path in (self.path, *self.path.parents)
                        if not path.exists()]

    def keep(self) -> None:
        """Keep the files of a first start from now on: the service is
        running."""
        self._made = []

    def abandon(self) -> None:
        """Remove the files of a first start that did not succeed."""
        for path in self._made:
            # Somebody else may have put something there meanwhile.
            with contextlib.suppress(OSError):
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink()

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
        """Create the accounts on the first start; afterwards only the endpoint
        changes, there and in the clouds.yaml for openstackclient.

        The passwords' file is written last: without it both accounts are
        created again, and others stay. Raises UsersFileError.
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
            users.replace(self.clouds, _clouds(endpoint, known))
        users.replace(self.credentials, ''.join(
            f'{name}={value}\n' for name, value in values.items()))

    def _read_credentials(self) -> dict[str, str]:
        if not self.credentials.exists():
            return {}
        lines = self.credentials.read_text(encoding='utf-8').splitlines()
        return dict(line.split('=', 1) for line in lines if '=' in line)


def _close_to_others(database: pathlib.Path) -> None:
    """Remove the access of other users; SQLite gives the files beside it the
    mode of the database."""
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
    """Return a clouds.yaml with a cloud for each account."""
    return yaml.safe_dump({'clouds': {
        cloud: {
            'auth_type': 'http_basic',
            'auth': {'username': name,
                     'password': passwords[_password_name(name)]},
            'baremetal_compute_endpoint_override': f'{endpoint}/v1',
            'vendor_hook': 'moganclient.sdk:vendor_hook'}
        for cloud, name in (('mogan', 'admin'), ('mogan-demo', 'demo'))}},
        sort_keys=False)


def _password_name(user: str) -> str:
    return f'MOGAN_{user.upper()}_PASSWORD'
