# SPDX-License-Identifier: Apache-2.0
"""Routing: the tree of resources, and the routes of their methods.

Pecan's own RestController guesses from names and numbers of arguments: it
answers some wrong paths with a server error, and some wrong methods as if the
path were wrong.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final
from wsgiref.types import WSGIEnvironment

import pecan
import pecan.core
import pecan.util
import wsme.rest.json
import wsme.types
import wsmeext.pecan

from mogan import exception
from mogan.api import (
    monkeypatches,  # noqa: F401 - before anything is exposed
    types,
    validation,
)

Method = Callable[..., Any]
Target = Callable[..., Mapping[str, Any]]
Rule = str | Callable[[bytes], str]


@dataclasses.dataclass(frozen=True, eq=False)
class Endpoint:
    """The declaration of a route; also for tests and documentation."""

    name: str
    result_type: Any
    path_types: tuple[Any, ...]
    query: Mapping[str, Any]
    body: Any
    schema: Mapping[str, Any] | None
    rule: Rule | None
    status_code: int
    raises: tuple[type[exception.MoganError], ...]
    location: bool


ENDPOINTS: list[Endpoint] = []

_METHODS: Final = ('get', 'post', 'put', 'patch', 'delete')


def route(result_type: Any,  # noqa: PLR0913 - all that a route is
          *path_types: Any, rule: Rule | None = None,
          target: Target | None = None,
          query: Mapping[str, Any] | None = None, body: Any = None,
          schema: Mapping[str, Any] | None = None, status_code: int = 200,
          raises: tuple[type[exception.MoganError], ...] = (),
          location: bool = False) -> Callable[[Method], Method]:
    """Declare the route of a method.

    A request is validated in this order: the number of path arguments (404),
    the policy (403), the query and the body (400, 415), the path arguments'
    types (404), then what the method itself finds.

    The method takes the path arguments, then those of `query` (name to
    WSME type) by name, then the body, an object of the WSME type `body`;
    without a type there may be no body.  `schema`: the JSON Schema of a body
    whose type does not have it, as that of a list.  `rule`, or what it
    returns for the body, which nobody has validated then, is checked against
    `target(*path arguments as strings)`, the caller's own project where there
    is none; without a rule the method does it.

    For the documentation: `raises` has the conflicts that the method may
    find, `location` says that its answer has this header.
    """
    def decorate(function: Method) -> Method:
        endpoint = Endpoint(
            function.__qualname__, result_type, path_types, query or {},
            body, types.body_schema(body) if body and not schema else schema,
            rule, status_code, raises, location)
        read = _reader(function, endpoint)

        @functools.wraps(function)
        def dispatch(self: Any, *path: str) -> Any:
            # The request itself: pecan.request looks for it at each use.
            state = pecan.core.state
            environ = state.request.environ
            if len(path) != len(path_types):
                raise exception.NotFound
            if rule is not None:
                _authorize(state.request, rule if isinstance(rule, str)
                           else rule(environ['mogan.body']), target, path)
            arguments = read(environ)
            result = function(self, *_path(path, path_types), **arguments)
            state.response.status = status_code
            if result_type is None:
                state.request.pecan['content_type'] = None
                state.response.content_type = None
                return ''
            return {'result': result}

        wsmeext.pecan.pecan_json_decorate(dispatch)
        # Pecan would fill arguments from the query and the body by name.
        vars(dispatch)['_pecan']['argspec'] = pecan.util.getargspec(dispatch)
        vars(dispatch)['endpoint'] = endpoint
        ENDPOINTS.append(endpoint)
        return dispatch
    return decorate


def _reader(function: Callable[..., Any], endpoint: Endpoint,
            ) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what reads a request's query and body, into arguments of the
    method by name."""
    names = inspect.getfullargspec(function).args[1:]
    body = names.pop() if endpoint.body is not None else None
    rest = names[len(endpoint.path_types):]
    if set(rest) != set(endpoint.query):
        raise TypeError(f'{endpoint.name}: takes {rest}, the query has '
                        f'{list(endpoint.query)}')
    if body is None:
        def read(environ: WSGIEnvironment) -> dict[str, Any]:
            arguments = validation.query_of(environ['mogan.query'],
                                            endpoint.query)
            _refuse_body(environ)
            return arguments
        return read
    schema = validation.Schema(endpoint.schema or {})
    kind = wsme.types.registry.resolve_type(
        wsme.types.registry.register(endpoint.body))

    def read_all(environ: WSGIEnvironment) -> dict[str, Any]:
        arguments = validation.query_of(environ['mogan.query'],
                                        endpoint.query)
        arguments[body] = wsme.rest.json.fromjson(
            kind, schema.load(_body(environ)))
        return arguments
    return read_all


def _authorize(request: Any, rule: str, target: Target | None,
               path: tuple[str, ...]) -> None:
    policy, context = request.services.policy, request.context
    if target is None:
        facts: Mapping[str, Any] = {'project_id': context.project_id}
    else:
        facts = target(*path) if policy.needs_target(rule) else {}
    policy.authorize(context, rule, facts)


def _path(texts: tuple[str, ...], kinds: tuple[Any, ...]) -> list[Any]:
    try:
        return [kind.frombasetype(text) if isinstance(kind, types.Argument)
                else text for text, kind in zip(texts, kinds, strict=True)]
    except ValueError:
        raise exception.NotFound from None


def _refuse_body(environ: WSGIEnvironment) -> None:
    if environ['mogan.body']:
        raise exception.Invalid(place='body', fault='must be empty')


def _body(environ: WSGIEnvironment) -> bytes:
    """Return the body, if it is said to be JSON.  Raises Invalid,
    UnsupportedMediaType."""
    body: bytes = environ['mogan.body']
    given = environ['mogan.content_type']
    if not body:
        raise exception.Invalid(place='body', fault='is missing')
    if given != 'application/json':
        _check_type(given)
    return body


def _check_type(given: str) -> None:
    kind, *parameters = given.split(';')
    if kind.strip().lower() != 'application/json':
        raise exception.UnsupportedMediaType(
            given=types.clip(given) or '(none)')
    for parameter in parameters:
        name, _, value = parameter.partition('=')
        if name.strip().lower() == 'charset' and (
                value.strip(' "\'').lower() not in {'utf-8', 'utf8'}):
            raise exception.UnsupportedMediaType(given=types.clip(given))


class Resource:
    """A resource in the tree of paths.

    Methods named as those of HTTP, with a `route`, answer at its own path.
    Attributes that are resources are its children under their names; one
    named `item` is the child under every other name, which becomes an
    argument of the methods there; `key` is the kind of that name.
    `path_segment`: the name in paths where no attribute can have it.
    """

    path_segment: ClassVar[str | None] = None
    key: ClassVar[str] = 'uuid'

    methods: ClassVar[dict[str, str]] = {}
    named_below: ClassVar[dict[str, 'Resource']] = {}
    item_below: ClassVar['Resource | None'] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.methods = {name.upper(): name for name in _METHODS
                        if hasattr(cls, name)}
        cls.named_below = {
            value.path_segment or name: value
            for name, value in vars(cls).items()
            if isinstance(value, Resource) and name[0] != '_'}
        cls.item_below = cls.named_below.pop('item', None)

    @pecan.expose()
    def _route(self, args: list[str], request: Any) -> tuple[Any, list[str]]:
        """Return the method that handles the request, and its path arguments;
        called by Pecan."""
        resource, taken = self, []
        # One slash at the end is forgiven.
        names = args[:-1] if args and not args[-1] else args
        for name in names:
            below = resource.named_below.get(name)
            if below is None:
                below = resource.item_below
                if below is None or not name:
                    raise exception.NotFound
                taken.append(name)
            resource = below
        method = resource.methods.get(request.method)
        if method is None:
            raise exception.MethodNotAllowed(
                request.method, sorted(resource.methods))
        return getattr(resource, method), taken
