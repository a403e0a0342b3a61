# SPDX-License-Identifier: Apache-2.0
"""The file of users and passwords.

One user a line, `name:hash:project_id:role,role`, where the hash is
bcrypt's; empty lines and those that begin with # do not count.  The first
two are what Apache's htpasswd writes.
"""

import dataclasses
import os
import pathlib
import re
import tempfile
import threading
import time
from collections.abc import Iterable
from typing import Final

import bcrypt
from oslo_log import log

from mogan.api.identity import headers

LOG = log.getLogger(__name__)

# What each role includes.
IMPLIED: Final = {'admin': ('member', 'reader'), 'manager': (
    'member', 'reader'), 'member': ('reader',)}

_NAME: Final = re.compile(r'[^:\s\x00-\x1f]{1,64}')
_HASH: Final = re.compile(r'\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}')
_ROLE: Final = re.compile(r'[A-Za-z0-9_-]{1,64}')
_LOOK_INTERVAL: Final = 1.0  # seconds between two looks at the file
_ROUNDS: Final = 10  # some 50 ms for each password that is looked at


class UsersFileError(headers.IdentityError):
    """The file cannot be read, or a line of it is not as it should be."""


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """A line of the file; `roles` with those that they include."""

    name: str
    hash: str
    project_id: str
    roles: tuple[str, ...]


class Users:
    """The users of a file, which is read again when it changes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._generation = 0
        self._stamp = self._look()
        self._users = read(path)
        # Looked at in place of an unknown user's, for as long a time.
        self._nobody = make_hash('', _dearest(self._users.values()))
        self._next_look = time.monotonic() + _LOOK_INTERVAL

    def generation(self) -> int:
        """A number that is another one when the users have changed."""
        now = time.monotonic()
        if now >= self._next_look:
            with self._lock:
                if now >= self._next_look:
                    self._next_look = now + _LOOK_INTERVAL
                    self._read_again()
        return self._generation

    def verify(self, name: str, password: bytes) -> User | None:
        """The user of a name, where the password is right."""
        user = self._users.get(name)
        try:
            right = bcrypt.checkpw(
                password, (user.hash if user else self._nobody).encode())
        except ValueError:  # longer than any that could have been set
            return None
        return user if right else None

    def _read_again(self) -> None:
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._users = read(self._path)
        except UsersFileError as error:
            LOG.warning('The users stay as they were: %s', error)
            return
        self._generation += 1
        LOG.info('The users file %s has changed and is in force',
                 self._path)

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = pathlib.Path(self._path).stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


def make_hash(password: str, rounds: int = _ROUNDS) -> str:
    """A password's hash; each round more makes a look at it take twice as
    long."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


def read(path: str | os.PathLike[str]) -> dict[str, User]:
    """The users of a file.  Raises UsersFileError."""
    try:
        text = pathlib.Path(path).read_text('utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise UsersFileError(
            f'the users file {path} cannot be read: {error}') from error
    found: dict[str, User] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        user = _parse(line.strip(), f'{path}, line {number}')
        if user.name in found:
            raise UsersFileError(
                f'{path}, line {number}: {user.name} is there twice')
        found[user.name] = user
    return found


def write(path: str | os.PathLike[str], users: Iterable[User]) -> None:
    """Write the file, for its owner's eyes only, all or nothing."""
    path = pathlib.Path(path)
    with tempfile.NamedTemporaryFile(
            'w', encoding='utf-8', dir=path.parent, prefix=f'.{path.name}.',
            delete=False) as file:
        for user in users:
            file.write(f'{user.name}:{user.hash}:{user.project_id}:'
                       f'{",".join(user.roles)}\n')
        file.flush()
        os.fsync(file.fileno())
    pathlib.Path(file.name).replace(path)


def _parse(line: str, place: str) -> User:
    try:
        name, digest, project_id, roles = line.split(':')
    except ValueError:
        raise UsersFileError(
            f'{place}: is not name:hash:project_id:role,role') from None
    named = [role.strip() for role in roles.split(',')]
    for good, what in (
            (_NAME.fullmatch(name), 'name'),
            (_HASH.fullmatch(digest), 'bcrypt hash'),
            (_NAME.fullmatch(project_id), 'project id'),
            (all(map(_ROLE.fullmatch, named)), 'list of roles')):
        if not good:
            raise UsersFileError(f'{place}: no valid {what}')
    every = dict.fromkeys(
        one for role in named for one in (role, *IMPLIED.get(role, ())))
    return User(name, digest, project_id, tuple(every))


def _dearest(users: Iterable[User]) -> int:
    return max((int(user.hash[4:6]) for user in users), default=_ROUNDS)
