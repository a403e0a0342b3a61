# SPDX-License-Identifier: Apache-2.0
"""The exceptions where 0.1.0 had them; see `moganclient.exceptions`."""

from keystoneauth1 import exceptions as _keystone

from moganclient.exceptions import (  # noqa: F401
    BadGateway,
    BadRequest,
    ClientException,
    Conflict,
    Forbidden,
    GatewayTimeout,
    HTTPClientError,
    HttpError,
    HttpServerError,
    InternalServerError,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    NoUniqueMatch,
    RequestEntityTooLarge,
    ServiceUnavailable,
    Unauthorized,
    UnsupportedMediaType,
)

ConnectionError = _keystone.ConnectFailure  # noqa: A001
ConnectionRefused = _keystone.ConnectFailure
EndpointNotFound = _keystone.EndpointNotFound
AuthorizationFailure = _keystone.AuthorizationFailure
