# SPDX-License-Identifier: Apache-2.0
"""The API as one WSGI application, with everything in front of it."""

import dataclasses
from typing import Any

import pecan
import webob

from mogan.api import edge, errors, hooks, views
from mogan.api import identity as identities


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the controllers need to know of the configuration.

    `public_endpoint`: the address that links begin with, without a slash at
    its end; none for the one that the request came to.
    """

    public_endpoint: str | None = None


def settings(conf: Any) -> Settings:
    """The settings as [api] has them."""
    return Settings((conf.api.public_endpoint or '').rstrip('/') or None)


@dataclasses.dataclass(frozen=True)
class Services:
    """What the controllers work with, at `pecan.request.services`."""

    db: Any
    engine: Any
    policy: Any
    settings: Settings = Settings()


def make_app(services: Services, conf: Any) -> Any:
    """The application and what surrounds it, the outermost last."""
    app = edge.Guard(_make_pecan(services))
    app = identities.wrap(app, conf)
    app = errors.Errors(app)
    return edge.Edge(app)


def _make_pecan(services: Services) -> Any:
    class Request(webob.Request):
        """Pecan's own costs a call for each attribute that is read."""

        context = None
        pecan = None

    Request.services = services  # type: ignore[attr-defined]
    return pecan.make_app(
        'mogan.api.controllers.root.RootController', debug=False,
        hooks=[hooks.ContextHook(services.policy)], request_cls=Request,
        custom_renderers={'wsmejson': views.Renderer},
        guess_content_type_from_ext=False, force_canonical=False)
