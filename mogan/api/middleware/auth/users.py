# SPDX-License-Identifier: Apache-2.0
"""The users file, with password hashes.

One user a line, `name:hash:project_id:role,role`, with a bcrypt hash; empty
lines and those that begin with # are ignored. Apache's htpasswd writes the
first two fields.
"""

import dataclasses
import os
import pathlib
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import bcrypt
from oslo_log import log

from mogan.api.middleware.auth import headers

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
_POLL_INTERVAL: Final = 1.0  # seconds between two polls of the file
_ROUNDS: Final = 10  # some 50 ms for each password that is looked at


class UsersFileError(headers.IdentityError):
    """The users file cannot be read, or has an invalid line."""


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """A line of the file; `roles` include implied roles."""

    name: str
    hash: str
    project_id: str
    roles: tuple[str, ...]


class Users:
    """The users of a file, which is reloaded when it changes.

    `roles` returns those that the policy rules refer to, as the argument
    `known` of `read`. Raises UsersFileError.
    """

    def __init__(self, path: str, roles: Callable[
            [], frozenset[str] | None] = lambda: None) -> None:
        self._path = path
        self._roles = roles
        self._lock = threading.Lock()
        self._generation = 0
        self._stamp = self._stat()
        self._users = self._read()
        self._nobody = _nobody(self._users.values())
        self._next_poll = time.monotonic() + _POLL_INTERVAL

    def generation(self) -> int:
        """Return a number that changes with the users."""
        now = time.monotonic()
        if now >= self._next_poll:
            with self._lock:
                if now >= self._next_poll:
                    self._next_poll = now + _POLL_INTERVAL
                    self._reload_if_changed()
        return self._generation

    def verify(self, name: str, password: bytes) -> User | None:
        """Return the user of this name if the password matches."""
        user = self._users.get(name)
        try:
            right = bcrypt.checkpw(
                password, (user.hash if user else self._nobody).encode())
        except ValueError:  # longer than any that could have been set
            return None
        return user if right else None

    def _reload_if_changed(self) -> None:
        stamp = self._stat()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._users = self._read()
        except UsersFileError as error:
            LOG.warning('The users file was not reloaded: %s', error)
            return
        self._nobody = _nobody(self._users.values())
        self._generation += 1
        LOG.info('The users file %s has changed and was reloaded',
                 self._path)

    def _read(self) -> dict[str, User]:
        known = self._roles()
        found = read(self._path, known)
        unknown = unknown_roles(found.values(), known)
        if unknown:
            LOG.warning('No policy rule refers to these roles in the users '
                        'file %s: %s', self._path, unknown)
        return found

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            status = pathlib.Path(self._path).stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


def make_hash(password: str, rounds: int = _ROUNDS) -> str:
    """Return the hash of a password; each additional round doubles the time of
    a verification."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


def read(path: str | os.PathLike[str],
         known: frozenset[str] | None = None) -> dict[str, User]:
    """Return the users of a file by name; `known` are the roles that policy
    rules refer to, in lower case, or None. Raises UsersFileError."""
    return parse(load(path), path, known)


def unknown_roles(users: Iterable[User],
                  known: frozenset[str] | None) -> str:
    """Return a list, as text, of roles that no policy rule refers to, with
    their users."""
    if known is None:
        return ''
    return ', '.join(
        f'{role} ({user.name})' for user in users for role in user.roles
        if not is_known(role, known))


def is_known(role: str, known: frozenset[str]) -> bool:
    """Return whether a policy rule can refer to a role, directly or by a role
    that it implies."""
    return role.lower() in known or role in IMPLIED


def load(path: str | os.PathLike[str]) -> str:
    """Return the exact text of a file. Raises UsersFileError."""
    try:
        text = pathlib.Path(path).read_bytes().decode()
    except OSError as error:
        raise UsersFileError(f'the users file {path} cannot be read: '
                             f'{error.strerror}') from error
    except UnicodeDecodeError as error:
        raise UsersFileError(f'the users file {path} cannot be read: it is '
                             f'not UTF-8') from error
    if text.startswith('\ufeff'):
        raise UsersFileError(f'the users file {path} begins with a byte '
                             f'order mark: save it as UTF-8 without one')
    return text


def parse(text: str, path: str | os.PathLike[str],
          known: frozenset[str] | None = None) -> dict[str, User]:
    """Return the users in the text of a file. Raises UsersFileError."""
    found = {}
    for one in look_through(text, path, known):
        if isinstance(one, UsersFileError):
            raise one
        found[one.name] = one
    return found


def look_through(text: str, path: str | os.PathLike[str],
                 known: frozenset[str] | None = None,
                 ) -> Iterator[User | UsersFileError]:
    """Yield the user, or the error, of each line in the text of a file."""
    names = set()
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if not is_user(line):
            continue
        place = f'{path}, line {number}'
        try:
            user = _parse(line.strip(), place)
        except UsersFileError as error:
            yield error
            continue
        if user.name in names:
            yield UsersFileError(f'{place}: duplicate user {user.name}')
            continue
        names.add(user.name)
        last = line.rpartition(',' if ',' in line else ':')[2].strip()
        # Of half a line the rest of a role may look like another one.
        if known is not None and line.splitlines() == [line] and (
                not is_known(last, known)):
            yield UsersFileError(
                f'{place}: the file seems to be truncated here: no policy '
                f'rule refers to the role {last}, and the line has no end')
            continue
        yield user


def is_user(line: str) -> bool:
    """Return whether a line holds a user, not a comment or nothing."""
    return bool(line.strip()) and not line.startswith('#')


def write(path: str | os.PathLike[str], users: Iterable[User]) -> None:
    """Write the file atomically, with access for its owner only."""
    replace(path, ''.join(
        f'{user.name}:{user.hash}:{user.project_id}:{",".join(user.roles)}\n'
        for user in users))


def replace(path: str | os.PathLike[str], text: str) -> None:
    """Replace the file atomically.

    Its owner, its group and their permissions stay; others have no access. A
    file that root creates gets the owner of the directory.
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
            (NAME.fullmatch(name) and name.isprintable(), 'name'),
            (_HASH.fullmatch(digest), 'bcrypt hash'),
            (PROJECT_ID.fullmatch(project_id) and project_id.isprintable(),
             'project id'),
            (all(map(ROLE.fullmatch, named)), 'list of roles')):
        if not good:
            raise UsersFileError(f'{place}: invalid {what}')
    every = dict.fromkeys(
        one for role in named for one in (role, *IMPLIED.get(role, ())))
    return User(name, digest, project_id, tuple(every))


def _nobody(users: Iterable[User]) -> str:
    """Return a hash to verify in place of an unknown user's, which takes as
    long as the slowest of the users'."""
    return make_hash('', max((int(user.hash[4:6]) for user in users),
                             default=_ROUNDS))
