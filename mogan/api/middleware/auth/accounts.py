# SPDX-License-Identifier: Apache-2.0
"""Changes of the users file, one at a time.

The rest of the file stays as it is: comments, order, whitespace.
"""

import contextlib
import fcntl
import os
import pathlib
import re
from collections.abc import Iterator, Sequence
from typing import Final

from mogan.api.middleware.auth import users

# Bytes; bcrypt looks at no more.
_LONGEST: Final = 72

_RULES: Final = {
    'name': (users.NAME, ('up to 64 characters without spaces and colons, '
                          'not beginning with #')),
    'project id': (users.PROJECT_ID,
                   'up to 64 characters without spaces and colons'),
    'role': (users.ROLE, 'up to 64 letters, digits, _ and -'),
}


class AccountError(ValueError):
    """A change is not possible; the text gives the reason."""


class Accounts:
    """The users of a file; each change of it is atomic.

    `known` are the roles that the policy rules refer to, in lower case, or
    None. The methods raise AccountError, and UsersFileError where the file is
    not valid.
    """

    def __init__(self, path: str | os.PathLike[str],
                 known: frozenset[str] | None = None) -> None:
        # A link goes on leading to the file.
        self.path = pathlib.Path(path).resolve()
        self.known = known

    def check(self, name: str, *, there: bool) -> None:
        """Raise AccountError unless the user exists, or does not exist."""
        self._check(self._load(new=not there), name, there=there)

    def add(self, name: str, digest: str, project_id: str,
            roles: Sequence[str]) -> None:
        """Add a user, and create the file if it does not exist."""
        with self._changed(new=True) as lines:
            self._check(''.join(lines), name, there=False)
            if lines and not lines[-1].endswith(('\n', '\r')):
                lines[-1] += '\n'
            lines.append(f'{name}:{digest}:{project_id}:{",".join(roles)}\n')

    def remove(self, name: str) -> None:
        """Remove a user."""
        with self._changed() as lines:
            del lines[self._find(lines, name)]

    def change(self, name: str, *, digest: str | None = None,
               project_id: str | None = None,
               roles: Sequence[str] | None = None) -> None:
        """Change a user; None leaves a field as it is."""
        with self._changed() as lines:
            number = self._find(lines, name)
            before = lines[number].strip()
            new = (name, digest, project_id,
                   None if roles is None else ','.join(roles))
            after = ':'.join(
                old if value is None else value
                for old, value in zip(before.split(':'), new, strict=True))
            lines[number] = lines[number].replace(before, after)

    @contextlib.contextmanager
    def _changed(self, *, new: bool = False) -> Iterator[list[str]]:
        """Yield the lines, and write them if the block has changed them."""
        try:
            with _locked(self.path.parent):
                text = self._load(new=new)
                users.parse(text, self.path, self.known)
                lines = text.splitlines(keepends=True)
                yield lines
                text = ''.join(lines)
                # Whatever the change was: the API has to understand it.
                users.parse(text, self.path)
                users.replace(self.path, text)
        except OSError as error:
            raise AccountError(f'the users file {self.path} cannot be '
                               f'written: {error.strerror}') from error

    def _load(self, *, new: bool) -> str:
        if new and not self.path.exists():
            return ''
        return users.load(self.path)

    def _check(self, text: str, name: str, *, there: bool) -> None:
        if (name in users.parse(text, self.path, self.known)) != there:
            raise AccountError(
                f'user {name} not found in {self.path}' if there else
                f'user {name} already exists in {self.path}')

    def _find(self, lines: Sequence[str], name: str) -> int:
        self._check(''.join(lines), name, there=True)
        return next(number for number, line in enumerate(lines)
                    if users.is_user(line)
                    and line.strip().partition(':')[0] == name)


@contextlib.contextmanager
def _locked(directory: pathlib.Path) -> Iterator[None]:
    # The file itself is another one after each change.
    held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def check_values(kind: str, *values: str) -> None:
    """Raise AccountError for a string that is not a valid `kind`: name,
    project id or role."""
    pattern, rule = _RULES[kind]
    for value in values:
        # What is no text in the terminal's encoding is not printable.
        if not pattern.fullmatch(value) or not value.isprintable():
            raise AccountError(f'{value!r} is not a valid {kind}: {rule}')


def check_known(roles: Sequence[str], known: frozenset[str] | None) -> None:
    """Raise AccountError for a role that no policy rule refers to."""
    if known is None:
        return
    unknown = [role for role in dict.fromkeys(roles)
               if not users.is_known(role, known)]
    if unknown:
        every = ', '.join(sorted(known | users.IMPLIED.keys()))
        raise AccountError(
            f'no policy rule refers to the role {", ".join(unknown)}; known '
            f'roles are {every}; --any-role accepts it nevertheless')


def digest_of(password: str) -> str:
    """Return the hash of a password. Raises AccountError."""
    if not password:
        raise AccountError('the password is empty')
    try:
        length = len(password.encode())
    except UnicodeEncodeError:
        raise AccountError('the password is not UTF-8') from None
    if length > _LONGEST:
        raise AccountError(f'the password has {length} bytes, and bcrypt '
                           f'uses only {_LONGEST}')
    if re.search(r'[\x00-\x1f\x7f]', password):
        raise AccountError('the password contains a control character, '
                           'which HTTP does not allow')
    return users.make_hash(password)
