# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets where they must not be."""

import base64
import contextlib
import pathlib
import sqlite3
import urllib.parse
from collections.abc import Mapping


def _forms(secret: str) -> set[bytes]:
    """How it may be written; of base64 what stands for the whole of it,
    wherever it begins."""
    data = secret.encode()
    cut = [base64.b64encode(b' ' * before + data)[(before * 4 + 2) // 3:-4]
           for before in range(3)]
    return {data, urllib.parse.quote(secret, safe='').encode(), *cut}


def find(secrets: Mapping[str, str],
         places: Mapping[str, bytes]) -> list[str]:
    """What is where."""
    return [f'{name} in {place}: ...{text[max(at - 200, 0):at + 60]!r}'
            for name, secret in secrets.items()
            for place, text in places.items()
            for form in _forms(secret) if (at := text.find(form)) >= 0]


def dump(path: pathlib.Path) -> bytes:
    """All that a database of SQLite holds."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return '\n'.join(connection.iterdump()).encode()
