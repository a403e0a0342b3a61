# SPDX-License-Identifier: Apache-2.0
"""Changes of the users file, one at a time.

What is not changed stays as it is: comments, order, spaces.
"""

import contextlib
import fcntl
import os
import pathlib
import re
from collections.abc import Iterator, Sequence
from typing import Final

from mogan.api.identity import users

# Bytes; bcrypt looks at no more.
_LONGEST: Final = 72

_RULES: Final = {
    'name': (users.NAME, ('up to 64 characters without spaces and colons, '
                          'the first of them no #')),
    'project id': (users.PROJECT_ID,
                   'up to 64 characters without spaces and colons'),
    'role': (users.ROLE, 'up to 64 letters, digits, _ and -'),
}


class AccountError(ValueError):
    """A change that cannot be made; the text says why."""


class Accounts:
    """The users of a file; each change of it is all or nothing.

    The methods raise AccountError, and UsersFileError where the file is not
    as it should be.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # A link goes on leading to the file.
        self.path = pathlib.Path(path).resolve()

    def check(self, name: str, *, there: bool) -> None:
        """Raise where a user is not there, or is."""
        self._check(self._load(new=not there), name, there=there)

    def add(self, name: str, digest: str, project_id: str,
            roles: Sequence[str]) -> None:
        """Add a user, and make the file where there is none."""
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
        """Change a user; what is None stays."""
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
        """The lines, which are written when the block has changed them."""
        try:
            with _locked(self.path.parent):
                text = self._load(new=new)
                users.parse(text, self.path)
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
        if (name in users.parse(text, self.path)) != there:
            raise AccountError(
                f'there is no user {name} in {self.path}' if there else
                f'there is a user {name} in {self.path} already')

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


def check_words(kind: str, *words: str) -> None:
    """Raise AccountError where a word is no `kind`: name, project id or
    role."""
    pattern, rule = _RULES[kind]
    for word in words:
        # What is no text in the terminal's encoding is not printable.
        if not pattern.fullmatch(word) or not word.isprintable():
            raise AccountError(f'{word!r} is no {kind}: {rule}')


def digest_of(password: str) -> str:
    """A password's hash.  Raises AccountError."""
    if not password:
        raise AccountError('the password is empty')
    try:
        length = len(password.encode())
    except UnicodeEncodeError:
        raise AccountError('the password is no UTF-8') from None
    if length > _LONGEST:
        raise AccountError(f'the password has {length} bytes, of which '
                           f'bcrypt takes {_LONGEST}')
    if re.search(r'[\x00-\x1f\x7f]', password):
        raise AccountError('the password has a control character, which '
                           'HTTP does not carry')
    return users.make_hash(password)
