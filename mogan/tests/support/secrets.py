# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets where they must not be."""

import base64
import contextlib
import pathlib
import sqlite3
import urllib.parse
from collections.abc import Mapping


def _forms(secret: str) -> set[bytes]:
    """Return the ways in which a secret may be written; of base64 the part
    that is the same wherever it begins."""
    data = secret.encode()
    cut = [base64.b64encode(b' ' * before + data)[(before * 4 + 2) // 3:-4]
           for before in range(3)]
    return {data, urllib.parse.quote(secret, safe='').encode(), *cut}


def find(secrets: Mapping[str, str],
         places: Mapping[str, bytes]) -> list[str]:
    """Return the secrets in each of the texts."""
    return [f'{name} in {place}: ...{text[max(at - 200, 0):at + 60]!r}'
            for name, secret in secrets.items()
            for place, text in places.items()
            for form in _forms(secret) if (at := text.find(form)) >= 0]


def dump(path: pathlib.Path) -> bytes:
    """Return the whole contents of an SQLite database."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return '\n'.join(connection.iterdump()).encode()
