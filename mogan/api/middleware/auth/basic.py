# SPDX-License-Identifier: Apache-2.0
"""Passwords, by HTTP basic authentication."""

import base64
import binascii
import collections
import hashlib
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_config import cfg

from mogan import exception, policy
from mogan.api.middleware import rate_limit
from mogan.api.middleware.auth import headers, users

# A wrong password is looked at again after so many seconds, a right one when
# the users have changed: who is known is served whatever others try.
_KEPT: Final = 300.0
_REMEMBERED: Final = 1024
# So many passwords are looked at at a time, of which each takes a thread
# for as long as bcrypt wants; whoever comes then may come again.
_AT_A_TIME: Final = 3
# Of these, so many of one address: nobody keeps all others out.
_OF_ONE: Final = 2
# Threads that never look, for those whose passwords are known.
_FREE: Final = 1
# Seconds after a wrong password in which nobody waits for another's look:
# whoever guesses the same on many connections would have every thread wait.
_ALERT: Final = 10.0


class Basic:
    """Asks for a name and a password, but where a path is public."""

    def __init__(self, application: WSGIApplication, known: users.Users,
                 threads: int) -> None:
        self._application = application
        self._users = known
        self._room = max(min(_AT_A_TIME, threads - _FREE), 1)
        self._of_one = max(min(_OF_ONE, self._room - 1), 1)
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._right: collections.OrderedDict[bytes, users.User] = (
            collections.OrderedDict())
        self._wrong: collections.OrderedDict[bytes, float] = (
            collections.OrderedDict())
        self._alert = -math.inf
        self._looking: dict[bytes, tuple[threading.Event, str]] = {}

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        if environ.get('PATH_INFO', '') not in headers.PUBLIC:
            user = self._identify(environ.get('HTTP_AUTHORIZATION'),
                                  environ.get('REMOTE_ADDR', ''))
            if user is None:
                raise _unauthorized()
            context = environ['mogan.context']
            context.user_id = context.user_name = user.name
            context.project_id = context.project_name = user.project_id
            context.roles = list(user.roles)
        environ.pop('HTTP_AUTHORIZATION', None)
        return self._application(environ, start_response)

    def _identify(self, header: str | None,
                  address: str) -> users.User | None:
        if header is None:
            return None
        generation = self._users.generation()
        key = hashlib.blake2b(
            f'{generation} {header}'.encode('utf-8', 'surrogateescape'),
            key=self._secret, digest_size=32).digest()
        while True:
            with self._lock:
                found = self._right.get(key)
                if found is not None:
                    return found
                now = time.monotonic()
                if self._wrong.get(key, now) > now:
                    return None
                looking = self._looking.get(key)
                if looking is None:
                    self._begin(key, rate_limit.network(address))
                    break
                if now < self._alert:
                    raise exception.ServiceUnavailable
            # Somebody is looking at the very same password already.
            looking[0].wait()
        return self._look(key, header)

    def _begin(self, key: bytes, network: str) -> None:
        """Raise ServiceUnavailable where enough are being looked at."""
        same = sum(other == network for _, other in self._looking.values())
        if len(self._looking) >= self._room or same >= self._of_one:
            raise exception.ServiceUnavailable
        self._looking[key] = threading.Event(), network

    def _look(self, key: bytes, header: str) -> users.User | None:
        user = None
        try:
            name, password = _decode(header)
            if name is not None:
                user = self._users.verify(name, password)
        finally:
            with self._lock:
                if user is not None:
                    _remember(self._right, key, user)
                else:
                    now = time.monotonic()
                    self._alert = now + _ALERT
                    _remember(self._wrong, key, now + _KEPT)
                self._looking.pop(key)[0].set()
        return user


def _remember(memory: collections.OrderedDict[bytes, Any], key: bytes,
              value: Any) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)


def _decode(header: str) -> tuple[str | None, bytes]:
    kind, _, encoded = header.strip().partition(' ')
    if kind.lower() != 'basic':
        return None, b''
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
        name, _, password = decoded.partition(b':')
        return name.decode('utf-8'), password
    except (binascii.Error, ValueError):
        return None, b''


def _unauthorized() -> exception.Unauthorized:
    error = exception.Unauthorized()
    error.headers['WWW-Authenticate'] = (
        'Basic realm="mogan", charset="UTF-8"')
    return error


def check(conf: cfg.ConfigOpts) -> None:
    """Check the users file.  Raises IdentityError if it is invalid, and
    PolicyFileError."""
    users.read(conf.http_basic_users_file, policy.Policy(conf).roles())


def wrap(application: WSGIApplication, conf: cfg.ConfigOpts,
         roles: Callable[[], frozenset[str] | None]) -> Basic:
    """Return the application behind this authentication.

    Raises IdentityError.
    """
    return Basic(application, users.Users(conf.http_basic_users_file, roles),
                 conf.api.threads)
