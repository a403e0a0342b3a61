# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI 3.1 document of the API.

Generated from the declarations of the routes: the JSON Schemas that validate
bodies, and the types of parameters and responses.
"""

import functools
import hashlib
import inspect
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson
import wsme.types

from mogan import exception
from mogan.api import response_schemas
from mogan.api.middleware.auth import headers
from mogan.api.routing import Endpoint, Resource

_ABOUT: Final = """\
Bare-metal instances as a service.

HEAD returns the headers of GET, without the body. A method that a path does
not support returns 405, and `Allow` lists those that it supports. Unknown
query parameters, and a body where an operation takes none, return 400. A body
is JSON of at most 1 MiB and 32 levels, without duplicate keys. Pagination of
lists is by `limit` and `marker`; `next` is the URL of the next page. Requests
beyond a rate limit return 429."""

_SECURITY: Final[dict[str, Any]] = {
    'token': {
        'type': 'apiKey', 'in': 'header', 'name': 'X-Auth-Token',
        'description': 'A Keystone token that is scoped to a project '
                       '(auth_strategy = keystone).'},
    'basic': {
        'type': 'http', 'scheme': 'basic',
        'description': 'A name and a password '
                       '(auth_strategy = http_basic).'}}

_HEADERS: Final[dict[str, Any]] = {
    'X-OpenStack-Request-ID': {
        'description': 'The id of the request in the log.',
        'required': True, 'schema': {
            'type': 'string', 'pattern':
            '^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'}},
    'Location': {
        'description': 'The URL of the created or changed resource.',
        'required': True, 'schema': {'type': 'string', 'format': 'uri'}},
    'Retry-After': {
        'description': 'Seconds to wait before the next attempt.',
        'required': True, 'schema': {'type': 'integer', 'minimum': 0}},
    'WWW-Authenticate': {
        'description': 'The supported authentication scheme.',
        'required': True, 'schema': {'type': 'string'}},
    'ETag': {
        'description': 'The entity tag of this version of the document.',
        'required': True, 'schema': {'type': 'string'}}}

_SUCCESSES: Final = {
    200: 'The request was successful.',
    201: 'The resource was recorded.',
    202: 'The request was accepted and recorded, or there was nothing to '
         'change.',
    204: 'The request was accepted; there is no body.',
    304: 'The document still has the entity tag of If-None-Match.'}


class _Error(NamedTuple):
    name: str
    description: str
    header: str | None = None


_ERRORS: Final = {
    400: _Error('BadRequest', 'The request is malformed; the message names '
                'the fault and the place.'),
    401: _Error('Unauthorized', 'The request needs valid credentials.',
                'WWW-Authenticate'),
    403: _Error('Forbidden', 'The caller may not do this.'),
    404: _Error('NotFound', 'The resource does not exist, or the caller may '
                'not see it.'),
    406: _Error('NotAcceptable', 'Only application/json can be answered.'),
    409: _Error('Conflict', 'The state of the resource does not allow '
                'this.'),
    413: _Error('BodyTooLarge', 'The body is larger than 1 MiB.'),
    415: _Error('UnsupportedMediaType', "The body's Content-Type is not "
                'application/json.'),
    429: _Error('TooManyRequests', 'The caller has exceeded the rate limit.',
                'Retry-After'),
    500: _Error('UnexpectedError', 'The log has the reason under the id of '
                'the request.'),
    503: _Error('ServiceUnavailable', 'A service that the response depends '
                'on is unavailable.', 'Retry-After')}
_EVERYWHERE: Final = frozenset({400, 403, 406, 429, 500})
_LOCKED: Final = 'Locked'


class _Document(wsme.types.UserType):
    """An OpenAPI document, serialized already."""

    basetype = dict
    name = 'openapi'
    schema = {'type': 'object', 'required': ['openapi', 'info', 'paths'],
              'properties': {
                  'openapi': {'type': 'string', 'pattern': r'^3\.1\.'},
                  'info': {'type': 'object'}, 'paths': {'type': 'object'}}}


DOCUMENT: Final = _Document()


class Served(NamedTuple):
    """The document in the response, and its entity tag."""

    body: bytes
    tag: str


class Route(NamedTuple):
    """A path and a method, with the names of the path parameters; `about`
    describes the resource."""

    about: str
    method: str
    path: str
    arguments: tuple[str, ...]
    function: Any

    @property
    def endpoint(self) -> Endpoint:
        """Return the declaration of the route."""
        found: Endpoint = self.function.endpoint
        return found


def routes(place: Resource | type[Resource], path: str = '',
           arguments: tuple[str, ...] = ()) -> Iterator[Route]:
    """Yield each route of a resource and of those below it."""
    for method, name in place.methods.items():
        yield Route(inspect.getdoc(place) or '', method, path or '/',
                    arguments, getattr(place, name))
    for name, below in place.named_below.items():
        yield from routes(below, f'{path}/{name}', arguments)
    if place.item_below is not None:
        # An argument is called after the collection that it is in.
        argument = (path.rpartition('/')[2].removesuffix('s')
                    + f'_{place.item_below.key}')
        yield from routes(place.item_below, f'{path}/{{{argument}}}',
                          (*arguments, argument))


@functools.lru_cache(maxsize=8)
def serve(root: type[Resource], version: str, address: str) -> Served:
    """Return the document of the service at this base URL."""
    body = orjson.dumps(document(root, version)
                        | {'servers': [{'url': address or '/'}]})
    return Served(body, hashlib.sha256(body).hexdigest()[:32])


def document(root: type[Resource], version: str) -> dict[str, Any]:
    """Return the document of all routes below a root."""
    components = response_schemas.Components()
    paths: dict[str, dict[str, Any]] = {}
    for route in routes(root):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(
            route, components)
    return {
        'openapi': '3.1.0',
        'info': {'title': 'Mogan', 'version': version, 'description': _ABOUT,
                 'license': {'name': 'Apache License 2.0',
                             'identifier': 'Apache-2.0'}},
        'jsonSchemaDialect': 'https://json-schema.org/draft/2020-12/schema',
        'servers': [{'url': '/'}],
        'security': [{name: []} for name in _SECURITY],
        'paths': paths,
        'components': {
            'schemas': dict(sorted(components.schemas.items())) | {
                'Error': response_schemas.ERROR,
                _LOCKED: response_schemas.LOCKED},
            'responses': dict(_error_responses()),
            'headers': _HEADERS,
            'securitySchemes': _SECURITY}}


def _operation(route: Route, components: response_schemas.Components,
               ) -> dict[str, Any]:
    endpoint = route.endpoint
    kind = re.match(r'/v1/(\w+)(/|$)', route.path)
    operation: dict[str, Any] = {
        'operationId': '_'.join(re.findall(
            r'\w+', f'{route.method.lower()}{route.path}')),
        'summary': _sentence(route.function),
        'description': ' '.join(route.about.split()),
        'tags': [kind[1] if kind else 'versions']}
    parameters = [*_path_parameters(route), *_query_parameters(route)]
    if parameters:
        operation['parameters'] = parameters
    if endpoint.schema is not None:
        operation['requestBody'] = {
            'required': True,
            'content': {'application/json': {'schema': endpoint.schema}}}
    public = route.path in headers.PUBLIC
    if public:
        operation['security'] = []
    operation['responses'] = {
        **_successes(endpoint, components), **_errors(endpoint, public)}
    return operation


def _sentence(function: Any) -> str:
    return ' '.join((inspect.getdoc(function) or '').split())


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name, kind in zip(route.arguments, route.endpoint.path_types,
                          strict=True):
        yield {'name': name, 'in': 'path', 'required': True,
               'schema': kind.schema}


def _query_parameters(route: Route) -> Iterator[dict[str, Any]]:
    known = inspect.signature(route.function).parameters
    for name, kind in route.endpoint.query.items():
        schema = dict(kind.schema)
        if known[name].default is not None:
            schema['default'] = known[name].default
        parameter: dict[str, Any] = {
            'name': name, 'in': 'query', 'schema': schema}
        if schema.get('type') == 'array':
            parameter |= {'style': 'form', 'explode': False}
        yield parameter


def _successes(endpoint: Endpoint, components: response_schemas.Components,
               ) -> dict[str, Any]:
    names = ['X-OpenStack-Request-ID']
    if endpoint.location:
        names.append('Location')
    whole = endpoint.result_type is DOCUMENT
    if whole:
        names.append('ETag')
    answer = _response(_SUCCESSES[endpoint.status_code], *names)
    if endpoint.result_type is not None:
        answer['content'] = _json(components.of(
            endpoint.result_type, partial='fields' in endpoint.query))
    found = {str(endpoint.status_code): answer}
    if whole:
        found['304'] = _response(_SUCCESSES[304], *names)
    return found


def _errors(endpoint: Endpoint, public: bool) -> dict[str, Any]:
    codes = _EVERYWHERE | {error.code for error in endpoint.raises}
    if not public:
        codes |= {401, 503}
    if endpoint.path_types:
        codes |= {404}
    if endpoint.schema is not None:
        codes |= {413, 415}
    found = {str(code): _refer('responses', _ERRORS[code].name)
             for code in sorted(codes)}
    if exception.InstanceLocked in endpoint.raises:
        found['409'] = _refer('responses', _LOCKED)
    return found


def _error_responses() -> Iterator[tuple[str, dict[str, Any]]]:
    for code, error in _ERRORS.items():
        names = [error.header] if error.header else []
        answer = _response(error.description, 'X-OpenStack-Request-ID',
                           *names)
        own = {'properties': {'error': {
            'properties': {'code': {'const': code}}}}}
        yield error.name, answer | {'content': _json(
            {'allOf': [_refer('schemas', 'Error'), own]})}
        if code == exception.Conflict.code:
            yield _LOCKED, answer | {
                'description': 'The instance is locked, or its state does '
                               'not allow this for another reason. '
                               'Retry-After comes with a lock that is '
                               'about to end.',
                'headers': answer['headers'] | {
                    'Retry-After': _HEADERS['Retry-After'] | {
                        'required': False}},
                'content': _json({'allOf': [
                    _refer('schemas', _LOCKED), own]})}


def _response(description: str, *names: str) -> dict[str, Any]:
    return {'description': description,
            'headers': {name: _refer('headers', name) for name in names}}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {'application/json': {'schema': schema}}


def _refer(kind: str, name: str) -> dict[str, Any]:
    return {'$ref': f'#/components/{kind}/{name}'}
