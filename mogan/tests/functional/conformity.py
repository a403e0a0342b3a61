# SPDX-License-Identifier: Apache-2.0
"""Answers are compared with what the OpenAPI document says of them."""

import functools
import re
from collections.abc import Callable
from typing import Any

import jsonschema

from mogan.api import openapi, root, v1
from mogan.tests.support.client import Answer, Client
from mogan.tests.support.deployment import Deployment


@functools.cache
def document() -> dict[str, Any]:
    """Return the document."""
    return openapi.document(root.RootController, v1.VERSION)


@functools.cache
def _patterns() -> list[tuple[Any, str]]:
    """Return the patterns of the document's paths; those without arguments
    first."""
    paths = sorted(document()['paths'], key=lambda path: path.count('{'))
    return [(re.compile(re.sub(r'\\{\w+\\}', '[^/]+', re.escape(path))),
             path) for path in paths]


def find(method: str, address: str) -> tuple[str, str] | None:
    """Return the document's path and method of an operation, if it exists."""
    path = address.partition('?')[0]
    path = path.rstrip('/') or '/'
    if path != '/' and not path.startswith('/v1'):
        path = f'/v1{path}'
    for pattern, found in _patterns():
        if pattern.fullmatch(path):
            known = method.lower() in document()['paths'][found]
            return (found, method.lower()) if known else None
    return None


def successes() -> set[tuple[str, str, str]]:
    """Return each operation with the status of its success."""
    return {(path, method, min(operation['responses']))
            for path, operations in document()['paths'].items()
            for method, operation in operations.items()}


def response(path: str, method: str, status: int) -> dict[str, Any]:
    """Return the description of an answer.  Raises AssertionError."""
    responses = document()['paths'][path][method]['responses']
    found = responses.get(str(status))
    if found is None:
        raise AssertionError(f'{method} {path}: {status} is not there')
    return _follow(found)


def _follow(value: dict[str, Any]) -> dict[str, Any]:
    if '$ref' in value:
        kind, name = value['$ref'].removeprefix('#/components/').split('/')
        return document()['components'][kind][name]
    return value


def _strict(value: Any) -> Any:
    """Return a schema that allows no additional fields: clients tolerate
    these, and the tests find them."""
    if isinstance(value, list):
        return [_strict(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    strict = {name: _strict(inner) for name, inner in value.items()}
    if value.get('type') == 'object' and 'properties' in value:
        strict['additionalProperties'] = False
    return strict


@functools.cache
def _components() -> dict[str, Any]:
    return {'schemas': _strict(document()['components']['schemas'])}


@functools.cache
def validator(path: str, method: str, status: int) -> Any:
    """Return the validator for the body of an answer; None where there is no
    body."""
    content = response(path, method, status).get('content')
    if content is None:
        return None
    return jsonschema.Draft202012Validator(
        content['application/json']['schema']
        | {'components': _components()})


def check(operation: tuple[str, str], answer: Answer) -> None:
    """Raise AssertionError where an answer is another than described."""
    place = (*operation, answer.status)
    for name, header in response(*place)['headers'].items():
        _check_header(place, name, _follow(header), answer)
    validate = validator(*place)
    if validate is None:
        if answer.body:
            raise AssertionError(f'{place}: {answer.body!r}')
        return
    if answer.headers['content-type'] != 'application/json':
        raise AssertionError(f'{place}: {answer.headers}')
    try:
        validate.validate(answer.json)
    except jsonschema.ValidationError as error:
        raise AssertionError(f'{place}: {error}') from None


def _check_header(place: Any, name: str, header: dict[str, Any],
                  answer: Answer) -> None:
    value: Any = answer.headers.get(name.lower())
    if value is None:
        if not header['required']:
            return
        raise AssertionError(f'{place}: no {name} in {answer.headers}')
    if header['schema']['type'] == 'integer':
        value = int(value)
    try:
        jsonschema.validate(value, header['schema'])
    except jsonschema.ValidationError as error:
        raise AssertionError(f'{place}: {name}: {error}') from None


class Conforming:
    """A functional test whose answers are all checked; `seen`: operations
    with the status of an answer."""

    def deploy(self) -> Deployment:
        return self.checked(super().deploy())  # type: ignore[misc]

    def checked(self, deployment: Deployment) -> Deployment:
        """Return a deployment whose clients validate the responses."""
        self.seen: set[tuple[str, str, str]] = set()
        make = deployment.client

        def client(user: str | None) -> Client:
            made = make(user)
            made.request = self._checking(made.request)
            return made

        deployment.client = client
        return deployment

    def _checking(self, send: Callable[..., Answer]) -> Callable[..., Answer]:
        def request(method: str, path: str, *rest: Any,
                    **options: Any) -> Answer:
            answer = send(method, path, *rest, **options)
            operation = find(method, path)
            if operation is not None:
                check(operation, answer)
                self.seen.add((*operation, str(answer.status)))
            return answer
        return request
