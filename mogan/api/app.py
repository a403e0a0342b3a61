# SPDX-License-Identifier: Apache-2.0
"""The API as one WSGI application, with everything in front of it."""

import dataclasses
import http
from typing import Any, Final

import pecan
import webob
from oslo_middleware import cors, healthcheck, tracing

from mogan import exception
from mogan.api import audit, edge, errors, hooks, proxied, rate, views
from mogan.api import identity as identities

HEALTH: Final = '/healthcheck'

cors.set_defaults(
    allow_headers=['X-Auth-Token', 'Authorization',
                   'X-OpenStack-Global-Request-ID'],
    expose_headers=['X-OpenStack-Request-ID', 'Location', 'Retry-After'],
    allow_methods=['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
tracing.set_defaults(service_name='mogan-api')


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the controllers need to know of the configuration.

    `public_endpoint`: the address that links begin with, without a slash at
    its end; none for the one that the request came to.  `max_keypairs`: how
    many of them a user may have.
    """

    public_endpoint: str | None = None
    max_keypairs: int = 100


def settings(conf: Any) -> Settings:
    """The settings as [api] has them."""
    return Settings((conf.api.public_endpoint or '').rstrip('/') or None,
                    conf.api.max_keypairs)


@dataclasses.dataclass(frozen=True)
class Services:
    """What the controllers work with, at `pecan.request.services`."""

    db: Any
    engine: Any
    policy: Any
    settings: Settings = Settings()


def make_app(services: Services, conf: Any) -> edge.Edge:
    """The application and what surrounds it, the outermost last; to be
    closed at the end."""
    app: Any = edge.Guard(_make_pecan(services))
    app = identities.wrap(rate.by_user(app, conf), conf)
    app = rate.by_address(app, conf)
    app = _Health(app, conf)
    app = errors.Errors(app)
    app, close = audit.wrap(app, conf)
    for optional in (_traced, _cors, proxied.wrap, _measured):
        app = optional(app, conf)
    return edge.Edge(app, close)


class _Health:
    """Says whether the service wants requests, to anybody."""

    def __init__(self, application: Any, conf: Any) -> None:
        self._application = application
        # Where it does not answer, as to a foreign network, nothing is.
        self._check = healthcheck.Healthcheck(self._nothing, conf)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get('PATH_INFO') != HEALTH:
            return self._application(environ, start_response)
        if environ['REQUEST_METHOD'] != 'GET':
            raise exception.MethodNotAllowed(
                environ['REQUEST_METHOD'], ['GET', 'HEAD'])
        answer = webob.Request(environ).get_response(self._check)
        if answer.status_int != http.HTTPStatus.OK:
            raise exception.ServiceUnavailable(answer.text)
        return answer(environ, start_response)

    @staticmethod
    def _nothing(*_: Any) -> Any:
        raise exception.NotFound


def _cors(app: Any, conf: Any) -> Any:
    conf.register_opts(cors.OPTS, 'cors')
    return cors.CORS(app, conf) if conf.cors.allowed_origin else app


def _traced(app: Any, conf: Any) -> Any:
    conf.register_opts(tracing.TRACING_OPTS, 'oslo_middleware_tracing')
    if not conf.oslo_middleware_tracing.enabled:
        return app
    return tracing.TracingMiddleware(app, conf)


def _measured(app: Any, conf: Any) -> Any:
    if not conf.metrics.api_port:
        return app
    from mogan.api import measured  # noqa: PLC0415 - it needs a library
    return measured.Measured(app)


class _Pecan(pecan.Pecan):

    def route(self, req: Any, node: Any, path: str) -> Any:
        """The root knows every path: nothing is looked for by names of
        attributes."""
        return node._route(path.split('/')[1:], req)  # noqa: SLF001 - Pecan's


def _make_pecan(services: Services) -> Any:
    class Request(webob.Request):
        """Pecan's own costs a call for each attribute that is read."""

        context = None
        pecan = None

    Request.services = services
    return _Pecan(
        'mogan.api.controllers.root.RootController',
        hooks=[hooks.ContextHook(services.policy)], request_cls=Request,
        custom_renderers={'wsmejson': views.Renderer},
        guess_content_type_from_ext=False, force_canonical=False)
