# SPDX-License-Identifier: Apache-2.0
"""Requests with a known answer, among those that may get any: what people
send as they have it, what is asked for in vain, and instances that the code
does not understand."""

import base64
import dataclasses
import functools
import http
import random
import textwrap
import urllib.parse
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from proof.fuzz.service import ADMIN, MEMBER, Persona, Service
from proof.rig.strange import Strange

_NAMES: Final = ('me@laptop', 'web_1.example', 'a b', 'x' * 200)
_CONTROLS: Final = ('\a', '\b', '\x1b[2J', '\x7f', '\x85', '\u202e',
                    '\u2066', '\u200f')
_NETWORKS: Final[tuple[Any, ...]] = (
    [{'network_uuid': '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10'}],
    [{'port_id': '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10'}],
    [{'network_id': '0b6f1a52-93a1-4c1c-8a5b-6f5d8f4c2e77'}] * 2)
_IMAGE: Final = '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10'
# No field, and no part of one.
_NOPE: Final = 'zqnope'


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """A request, and what is right: the status, and how often a text is in
    the answer, at least once for None."""

    who: Persona
    method: str
    path: str
    body: Any
    status: int
    text: str = ''
    times: int | None = None

    def judge(self, status: int, answer: str) -> str | None:
        """Return the fault of an answer."""
        times = answer.count(self.text)
        if status == self.status and (
                times > 0 if self.times is None else times == self.times):
            return None
        body = repr(self.body)[:200]
        return (f'{self.method} {self.path} {body} as {self.who.name}: '
                f'{status} in place of {self.status}, {self.text!r} '
                f'{times} times: {answer[:300]}')


@functools.cache
def _keys() -> tuple[Any, Any]:
    return (rsa.generate_private_key(65537, 2048),
            ed25519.Ed25519PrivateKey.generate())


def _line(key: Any) -> str:
    return key.public_key().public_bytes(
        serialization.Encoding.OpenSSH,
        serialization.PublicFormat.OpenSSH).decode()


def _pem(key: Any, kind: serialization.PublicFormat) -> str:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, kind).decode()


def _ssh2(key: Any) -> str:
    """As PuTTY saves it."""
    body = '\n'.join(textwrap.wrap(_line(key).split()[1], 70))
    return (f'---- BEGIN SSH2 PUBLIC KEY ----\nComment: "a key"\n{body}\n'
            '---- END SSH2 PUBLIC KEY ----\n')


def public_keys(dice: random.Random) -> str:
    """Return a public key in a common format."""
    modulus, curve = _keys()
    key = dice.choice((modulus, curve))
    line = _line(key)
    comment = dice.choice(('', ' me@laptop', ' # Schlüssel Büro', '\tx'))
    forms: tuple[Callable[[], str], ...] = (
        lambda: line + comment, lambda: f'{line}{comment}\r\n',
        lambda: f'\n{line}{comment}\n',
        lambda: line.replace(' ', '\t') + comment,
        lambda: _ssh2(key),
        lambda: _ssh2(key).replace('\n', '\r\n'),
        lambda: _pem(modulus, serialization.PublicFormat.PKCS1),
        lambda: _pem(key, serialization.PublicFormat.SubjectPublicKeyInfo))
    return dice.choice(forms)()


def _keypair(dice: random.Random) -> Form:
    number = base64.b32encode(dice.randbytes(10)).decode()
    name = f'{dice.choice(_NAMES)}{number}'
    return Form(MEMBER, 'POST', '/v1/keypairs', {
        'name': name, 'public_key': public_keys(dice)}, 201)


def _private(dice: random.Random) -> Form:
    """Return a private key in its place: refused, and not echoed."""
    text = dice.choice(_keys()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption()).decode()
    return Form(MEMBER, 'POST', '/v1/keypairs', {
        'name': 'private', 'public_key': text}, 400,
        text.splitlines()[1], 0)


def _fields(dice: random.Random) -> Form:
    names = dice.choice((_NOPE, f'uuid,{_NOPE}', f'{_NOPE},name'))
    # Beside others, it has to be told which one is meant.
    return Form(ADMIN, 'GET', f'/v1/instances?fields={names}', None, 400,
                _NOPE, 1 if names == _NOPE else None)


class Forms:
    """Cases by dice; `injected` are the instances that the code does not
    understand."""

    def __init__(self, service: Service,
                 injected: dict[str, Strange]) -> None:
        self._service = service
        # Of another one, only what is to be done is not understood.
        self._injected = [(uuid, kind) for uuid, kind in injected.items()
                         if kind.refuses]
        self._flavors = service.uuids('flavors')
        self._instances = [uuid for uuid in service.uuids('instances')
                           if uuid not in injected]
        self._kinds: list[Callable[[random.Random], Form]] = [
            _keypair, _keypair, _private, _fields, self._networks,
            self._reason, self._strange, self._strange, self._strange,
            self._listed]

    def play(self, dice: random.Random) -> str | None:
        """Play a case; what is wrong, if anything.  Raises OSError."""
        form = dice.choice(self._kinds)(dice)
        answer = self._service.ask(
            form.who, form.method, form.path, form.body)
        if answer.status == http.HTTPStatus.CREATED:
            # There may be so many of them and no more.
            name = urllib.parse.quote(form.body['name'])
            self._service.ask(form.who, 'DELETE', f'{form.path}/{name}')
        return form.judge(answer.status, answer.body.decode())

    def _networks(self, dice: random.Random) -> Form:
        return Form(MEMBER, 'POST', '/v1/instances', {
            'name': 'web', 'image_uuid': _IMAGE,
            'flavor_uuid': dice.choice(self._flavors),
            'networks': dice.choice(_NETWORKS)}, 400, 'networks')

    def _reason(self, dice: random.Random) -> Form:
        """Return a reason with misleading characters."""
        uuid = dice.choice(self._instances)
        reason = f'disk{dice.choice(_CONTROLS)}swap'
        return Form(ADMIN, 'PUT', f'/v1/instances/{uuid}/states/lock',
                    {'lock': {'reason': reason}}, 400, 'reason')

    def _strange(self, dice: random.Random) -> Form:
        uuid, kind = dice.choice(self._injected)
        path = f'/v1/instances/{uuid}'
        if dice.random() < 0.3:  # noqa: PLR2004
            return Form(ADMIN, 'GET', path, None, 200, kind.value)
        method, tail, body = dice.choice((
            ('PUT', '/states/lock', {'lock': None}),
            ('PUT', '/states/power', {'target': 'off'}),
            ('PUT', '/states/provision', {'target': 'rebuild',
                                          'image_uuid': _IMAGE}),
            ('DELETE', '', None)))
        return Form(ADMIN, method, path + tail, body, 409, kind.value)

    def _listed(self, dice: random.Random) -> Form:
        _, kind = dice.choice(self._injected)
        return Form(ADMIN, 'GET', '/v1/instances?all_tenants=true&name=strange'
                    '&fields=uuid,status,lock_state', None, 200, kind.value)
