# SPDX-License-Identifier: Apache-2.0
"""The exceptions where 0.1.0 had them; see `moganclient.exceptions`."""

from keystoneauth1 import exceptions as _keystone
from openstack import exceptions as _sdk
from osc_lib.exceptions import CommandError  # noqa: F401

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
EndpointException = _keystone.CatalogException
AuthPluginOptionsMissing = _keystone.MissingRequiredOptions
AuthSystemNotFound = _keystone.NoMatchingPlugin
UnsupportedVersion = _sdk.NotSupported
ValidationError = _sdk.InvalidRequest


class AmbiguousEndpoints(EndpointException):
    """Never raised: the first in the catalog is used."""


class HTTPRedirection(HttpError):
    """Never raised, nor are all that follow: the service returns none of
    these."""


class MultipleChoices(HTTPRedirection):
    """300."""


class PaymentRequired(HTTPClientError):
    """402."""


class ProxyAuthenticationRequired(HTTPClientError):
    """407."""


class RequestTimeout(HTTPClientError):
    """408."""


class Gone(HTTPClientError):
    """410."""


class LengthRequired(HTTPClientError):
    """411."""


class PreconditionFailed(HTTPClientError):
    """412."""


class RequestUriTooLong(HTTPClientError):
    """414."""


class RequestedRangeNotSatisfiable(HTTPClientError):
    """416."""


class ExpectationFailed(HTTPClientError):
    """417."""


class UnprocessableEntity(HTTPClientError):
    """422."""


class HttpNotImplemented(HttpServerError):
    """501."""


class HttpVersionNotSupported(HttpServerError):
    """505."""
