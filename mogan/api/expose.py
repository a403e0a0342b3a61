# SPDX-License-Identifier: Apache-2.0
"""How a controller's method becomes a route."""

import dataclasses
import functools
import inspect
import io
from collections.abc import Callable, Mapping
from typing import Any

import pecan.core
import pecan.util
import wsmeext.pecan

from mogan import exception
from mogan.api import (
    patches,  # noqa: F401 - before anything is exposed
    strict,
    types,
)

Method = Callable[..., Any]
Target = Callable[..., Mapping[str, Any]]
Rule = str | Callable[[bytes], str]


@dataclasses.dataclass(frozen=True, eq=False)
class Exposure:
    """What is known of a route; also for the tests and the documentation."""

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


EXPOSED: list[Exposure] = []


def expose(result_type: Any,  # noqa: PLR0913 - all that a route is
           *path_types: Any, rule: Rule | None = None,
           target: Target | None = None,
           query: Mapping[str, Any] | None = None, body: Any = None,
           schema: Mapping[str, Any] | None = None, status_code: int = 200,
           raises: tuple[type[exception.MoganError], ...] = (),
           location: bool = False) -> Callable[[Method], Method]:
    """Expose a method, in this order: the number of path arguments (404),
    the policy (403), the query and the body (400, 415), the path arguments'
    types (404), then what the method itself finds.

    The method takes the path arguments, then those of `query` (name to
    WSME type) by name, then the body of the WSME type `body`, checked by
    `schema` first; without a schema there may be no body.  `rule`, or what
    it returns for the body, which nobody has checked then, is checked against
    `target(*path arguments as texts)`, the caller's own project where there
    is none; without a rule the method does it.

    For the documentation: `raises` has the conflicts that the method may
    find, `location` says that its answer has this header.
    """
    def decorate(function: Method) -> Method:
        exposure = Exposure(
            function.__qualname__, result_type, path_types, query or {},
            body, schema, rule, status_code, raises, location)
        exposed = wsmeext.pecan.wsexpose(
            result_type, *_argument_types(function, exposure), body=body,
            status_code=status_code, rest_content_types=('json',),
            )(function)
        check = strict.Schema(schema) if schema is not None else None

        @functools.wraps(exposed)
        def route(self: Any, *path: str) -> Any:
            # The request itself: pecan.request looks for it at each use.
            request = pecan.core.state.request
            environ = request.environ
            if len(path) != len(path_types):
                raise exception.NotFound
            if rule is not None:
                _authorize(request, rule if isinstance(rule, str)
                           else rule(environ['mogan.body']), target, path)
            strict.query_of(environ['mogan.query'], exposure.query)
            if check is None:
                _refuse_body(environ)
            else:
                _check_body(environ, check)
            return exposed(self, *_path(path, path_types))

        # Pecan would fill arguments from the query and the body by name.
        vars(route)['_pecan']['argspec'] = pecan.util.getargspec(route)
        vars(route)['exposure'] = exposure
        EXPOSED.append(exposure)
        return route
    return decorate


def _argument_types(function: Callable[..., Any],
                    exposure: Exposure) -> list[Any]:
    """The types of a method's arguments in their order, but the body's."""
    if (exposure.body is None) != (exposure.schema is None):
        raise TypeError(f'{exposure.name}: body and schema go together')
    names = inspect.getfullargspec(function).args[1:]
    if exposure.body is not None:
        names.pop()
    rest = names[len(exposure.path_types):]
    if set(rest) != set(exposure.query):
        raise TypeError(f'{exposure.name}: takes {rest}, the query has '
                        f'{list(exposure.query)}')
    return [*exposure.path_types, *(exposure.query[name] for name in rest)]


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


def _refuse_body(environ: dict[str, Any]) -> None:
    if environ['mogan.body']:
        raise exception.Invalid(place='body', fault='there may be none here')


def _check_body(environ: dict[str, Any], schema: strict.Schema) -> None:
    """Check the body, then let WSME see it."""
    body, given = environ['mogan.body'], environ['mogan.content_type']
    if not body:
        raise exception.Invalid(place='body', fault='there is none')
    if given != 'application/json':
        _check_type(given)
    schema.check_body(body)
    environ['wsgi.input'] = io.BytesIO(body)
    environ['webob.is_body_seekable'] = True
    environ['CONTENT_LENGTH'] = str(len(body))
    environ['CONTENT_TYPE'] = 'application/json'


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
