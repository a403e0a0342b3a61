# SPDX-License-Identifier: Apache-2.0
"""The WSGI application: the controllers and the middleware in front."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pecan
import webob
from oslo_config import cfg
from oslo_middleware import cors, tracing

from mogan.api import hooks, serialization
from mogan.api.middleware import (
    audit,
    auth,
    errors,
    health,
    normalization,
    proxy_headers,
    rate_limit,
    request_log,
)
from mogan.db.core.engine import Database
from mogan.engine.client import EngineClient
from mogan.policy import Policy

cors.set_defaults(
    allow_headers=['X-Auth-Token', 'Authorization',
                   'X-OpenStack-Global-Request-ID'],
    expose_headers=['X-OpenStack-Request-ID', 'Location', 'Retry-After'],
    allow_methods=['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
tracing.set_defaults(service_name='mogan-api')


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of the controllers.

    `public_endpoint`: the base URL of links, without a trailing slash; None
    for the URL that the request was sent to. `max_keypairs`: the quota of key
    pairs per user.
    """

    public_endpoint: str | None = None
    max_keypairs: int = 100


def settings(conf: cfg.ConfigOpts) -> Settings:
    """Return the settings that [api] configures."""
    return Settings((conf.api.public_endpoint or '').rstrip('/') or None,
                    conf.api.max_keypairs)


@dataclasses.dataclass(frozen=True)
class Services:
    """The services that controllers use, at `pecan.request.services`."""

    db: Database
    engine: EngineClient
    policy: Policy
    settings: Settings = Settings()


Middleware = Callable[[WSGIApplication, cfg.ConfigOpts, Services],
                      WSGIApplication]


def _cors(app: WSGIApplication, conf: cfg.ConfigOpts,
          _: Services) -> WSGIApplication:
    conf.register_opts(cors.OPTS, 'cors')
    return cors.CORS(app, conf) if conf.cors.allowed_origin else app


def _tracing(app: WSGIApplication, conf: cfg.ConfigOpts,
             _: Services) -> WSGIApplication:
    conf.register_opts(tracing.TRACING_OPTS, 'oslo_middleware_tracing')
    if not conf.oslo_middleware_tracing.enabled:
        return app
    return tracing.TracingMiddleware(app, conf)


def _metrics(app: WSGIApplication, conf: cfg.ConfigOpts,
             _: Services) -> WSGIApplication:
    if not conf.metrics.api_port:
        return app
    from mogan.api.middleware import (  # noqa: PLC0415 - it needs a library
        metrics,
    )
    return metrics.RequestMetrics(app)


# From the outermost to the innermost.  Each is called with the application
# behind it, the configuration and the services, and returns what stands in
# front, the application itself where it is switched off.
MIDDLEWARE: Final[tuple[Middleware, ...]] = (
    # Around everything, so that each answer has an id and a line in the log.
    lambda app, *_: request_log.RequestLog(app),
    # Counts what the layers behind it answer, refusals too.
    _metrics,
    # In front of all that use the address or the host of a request.
    lambda app, conf, _: proxy_headers.wrap(app, conf),
    # A preflight request has no credentials.
    _cors,
    _tracing,
    # In front of the errors, to record refusals by the authentication.
    lambda app, conf, _: audit.wrap(app, conf),
    # What raises behind it gets the one format of errors.
    lambda app, *_: errors.Errors(app),
    # In front of limits and credentials: load balancers have none.
    lambda app, conf, services: health.HealthCheck(app, conf, services.db),
    # Before a password is checked, which is made to be slow.
    lambda app, conf, _: rate_limit.by_address(app, conf),
    lambda app, conf, services: auth.wrap(app, conf, services.policy.roles),
    # Needs the user.
    lambda app, conf, _: rate_limit.by_user(app, conf),
    # Innermost: reads the body of an authenticated request only.
    lambda app, *_: normalization.Normalization(app),
)


class Application:
    """The application behind its middleware; to be closed at the end."""

    def __init__(self, services: Services, conf: cfg.ConfigOpts) -> None:
        layers = [_make_pecan(services)]
        for middleware in reversed(MIDDLEWARE):
            layers.append(middleware(layers[-1], conf, services))
        self._outermost = layers[-1]
        self._layers = layers

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        return self._outermost(environ, start_response)

    def close(self) -> None:
        """Finish the background work of past requests."""
        for layer in dict.fromkeys(reversed(self._layers)):
            if close := getattr(layer, 'close', None):
                close()


class _Pecan(pecan.Pecan):

    def route(self, req: Any, node: Any, path: str) -> Any:
        """Leave all routing to the root, without Pecan's lookup of
        attributes."""
        return node._route(path.split('/')[1:], req)  # noqa: SLF001 - Pecan's


def _make_pecan(services: Services) -> WSGIApplication:
    class Request(webob.Request):
        """A request without Pecan's own attributes, each access to which costs
        a call."""

        context = None
        pecan = None

    Request.services = services
    return _Pecan(
        'mogan.api.root.RootController',
        hooks=[hooks.ContextHook(services.policy)], request_cls=Request,
        custom_renderers={'wsmejson': serialization.Renderer},
        guess_content_type_from_ext=False, force_canonical=False)
