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
from collections.abc import Iterable, Iterator
from typing import Final

import bcrypt
from oslo_log import log

from mogan.api.identity import headers

LOG = log.getLogger(__name__)

# What each role includes.
IMPLIED: Final = {'admin': ('member', 'reader'), 'manager': (
    'member', 'reader'), 'member': ('reader',)}

# What begins with # is a comment.
NAME: Final = re.compile(r'(?!#)[^:\s\x00-\x1f]{1,64}')
PROJECT_ID: Final = re.compile(r'[^:\s\x00-\x1f]{1,64}')
ROLE: Final = re.compile(r'[A-Za-z0-9_-]{1,64}')
_HASH: Final = re.compile(
    r'\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}')
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
        self._nobody = _nobody(self._users.values())
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
        self._nobody = _nobody(self._users.values())
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
    return parse(load(path), path)


def load(path: str | os.PathLike[str]) -> str:
    """A file's text, to the byte.  Raises UsersFileError."""
    try:
        return pathlib.Path(path).read_bytes().decode()
    except OSError as error:
        raise UsersFileError(f'the users file {path} cannot be read: '
                             f'{error.strerror}') from error
    except UnicodeDecodeError as error:
        raise UsersFileError(f'the users file {path} cannot be read: it is '
                             f'no UTF-8') from error


def parse(text: str, path: str | os.PathLike[str]) -> dict[str, User]:
    """The users of a file's text.  Raises UsersFileError."""
    found = {}
    for one in look_through(text, path):
        if isinstance(one, UsersFileError):
            raise one
        found[one.name] = one
    return found


def look_through(text: str, path: str | os.PathLike[str],
                 ) -> Iterator[User | UsersFileError]:
    """What each line of a file's text holds, or what is wrong with it."""
    names = set()
    for number, line in enumerate(text.splitlines(), 1):
        if not is_user(line):
            continue
        place = f'{path}, line {number}'
        try:
            user = _parse(line.strip(), place)
        except UsersFileError as error:
            yield error
            continue
        if user.name in names:
            yield UsersFileError(f'{place}: {user.name} is there twice')
            continue
        names.add(user.name)
        yield user


def is_user(line: str) -> bool:
    """Whether a line is more than a comment."""
    return bool(line.strip()) and not line.startswith('#')


def write(path: str | os.PathLike[str], users: Iterable[User]) -> None:
    """Write the file, for its owner's eyes only, all or nothing."""
    replace(path, ''.join(
        f'{user.name}:{user.hash}:{user.project_id}:{",".join(user.roles)}\n'
        for user in users))


def replace(path: str | os.PathLike[str], text: str) -> None:
    """Write the file anew, all or nothing.

    Its owner and its group stay, and what they may; others may nothing.
    Where root makes it, it belongs to whom the directory belongs to.
    """
    path = pathlib.Path(path).resolve()
    mode, owner = 0o600, None
    if path.exists():
        owner = path.stat()
        mode |= owner.st_mode & 0o040
    elif os.geteuid() == 0:
        owner = path.parent.stat()
    with tempfile.NamedTemporaryFile(
            'wb', dir=path.parent, prefix=f'.{path.name}.',
            delete=False) as file:
        try:
            if owner is not None:
                _give(file.fileno(), owner)
            os.fchmod(file.fileno(), mode)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
            pathlib.Path(file.name).replace(path)
        except BaseException:
            pathlib.Path(file.name).unlink(missing_ok=True)
            raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _give(file: int, owner: os.stat_result) -> None:
    mine = os.fstat(file)
    if (mine.st_uid, mine.st_gid) != (owner.st_uid, owner.st_gid):
        os.fchown(file, owner.st_uid, owner.st_gid)


def _parse(line: str, place: str) -> User:
    try:
        name, digest, project_id, roles = line.split(':')
    except ValueError:
        raise UsersFileError(
            f'{place}: is not name:hash:project_id:role,role') from None
    named = [role.strip() for role in roles.split(',')]
    for good, what in (
            (NAME.fullmatch(name), 'name'),
            (_HASH.fullmatch(digest), 'bcrypt hash'),
            (PROJECT_ID.fullmatch(project_id), 'project id'),
            (all(map(ROLE.fullmatch, named)), 'list of roles')):
        if not good:
            raise UsersFileError(f'{place}: no valid {what}')
    every = dict.fromkeys(
        one for role in named for one in (role, *IMPLIED.get(role, ())))
    return User(name, digest, project_id, tuple(every))


def _nobody(users: Iterable[User]) -> str:
    """A hash that is looked at in place of an unknown user's, for as long a
    time as the dearest."""
    return make_hash('', max((int(user.hash[4:6]) for user in users),
                             default=_ROUNDS))
