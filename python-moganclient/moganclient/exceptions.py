# SPDX-License-Identifier: Apache-2.0
"""The client's exceptions.

Each is an exception of openstacksdk as well, so that code which knows only
those works.  The message of a refusal is the service's own.
"""

import http
import re
from collections.abc import Iterable
from typing import Any

import requests
from openstack import exceptions as sdk

# The names that 0.1.0 had for what has one in openstacksdk.
ClientException = sdk.SDKException

_RELEASED = re.compile(r'/(?:instances|servers)/([^/\s]+)')


class HttpError(sdk.HttpException):
    """An error response; its text is the service's message."""

    def __init__(self, message: str | None = None,
                 response: requests.Response | None = None,
                 **values: Any) -> None:
        super().__init__(message or type(self).__name__, response=response,
                         details=message, **values)

    def __str__(self) -> str:
        return self.message


class HTTPClientError(HttpError):
    """The request is refused."""


class HttpServerError(HttpError):
    """The service, or a proxy, could not answer."""


class BadRequest(HTTPClientError, sdk.BadRequestException):
    """400: the message names the position of the error."""


class Unauthorized(HTTPClientError):
    """401: missing or invalid credentials."""


class Forbidden(HTTPClientError, sdk.ForbiddenException):
    """403: the policy does not allow this."""


class NotFound(HTTPClientError, sdk.NotFoundException):
    """404: not found, or in another project."""


class MethodNotAllowed(HTTPClientError):
    """405."""


class NotAcceptable(HTTPClientError):
    """406."""


class Conflict(HTTPClientError, sdk.ConflictException):
    """409: the state does not allow this."""


class RequestEntityTooLarge(HTTPClientError):
    """413."""


class UnsupportedMediaType(HTTPClientError):
    """415."""


class InternalServerError(HttpServerError):
    """500: the service's log has the reason under `request_id`."""


class BadGateway(HttpServerError):
    """502."""


class ServiceUnavailable(HttpServerError):
    """503: a retry may succeed."""


class GatewayTimeout(HttpServerError):
    """504."""


class InstanceLocked(Conflict):
    """409: the instance is locked.

    `state`: `locking`, `locked`, or `unlocking`, which ends by itself; None
    from an older service; `reason`: a string or None; `since`: a timestamp
    in UTC, as a string; `release`: the request that releases it; `holder`:
    the user who locked it, or None if hidden from the caller.
    """

    def __init__(self, message: str | None = None,
                 response: requests.Response | None = None, *,
                 lock: dict[str, Any] | None = None) -> None:
        super().__init__(message, response)
        lock = lock or {}
        self.state: str | None = lock.get('state')
        self.reason: str | None = lock.get('reason')
        self.since: str | None = lock.get('since')
        self.release: str | None = lock.get('release')
        self.holder: str | None = lock.get('by')
        found = _RELEASED.search(self.release or '')
        self.instance_id: str | None = found[1] if found else None


class NotTheService(sdk.SDKException):
    """The endpoint does not belong to the service."""


class NotUnique(sdk.DuplicateResource):
    """Several resources have the name; `candidates` lists them."""

    def __init__(self, message: str | None = None,
                 candidates: Iterable[Any] = ()) -> None:
        super().__init__(message)
        self.candidates = list(candidates)


class _Waited(sdk.SDKException):
    """The base class of errors with an `instance`, as last seen.  It is not
    pickled, since it has a connection."""

    def __init__(self, message: str | None = None,
                 instance: Any = None) -> None:
        super().__init__(message)
        self.instance = instance

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__dict__ | {'instance': None}


class InstanceFailed(_Waited, sdk.ResourceFailure):
    """The expected state cannot be reached: `instance` is in `error`; `fault`
    has the reason, or is None."""

    def __init__(self, message: str | None = None,
                 instance: Any = None) -> None:
        super().__init__(message, instance)
        self.fault: dict[str, Any] | None = getattr(instance, 'fault', None)


class WaitTimeout(_Waited, sdk.ResourceTimeout):
    """The wait has timed out; `instance` as last seen."""


NoUniqueMatch = NotUnique

_BY_STATUS: dict[int, type[HttpError]] = {
    400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound,
    405: MethodNotAllowed, 406: NotAcceptable, 409: Conflict,
    413: RequestEntityTooLarge, 415: UnsupportedMediaType,
    500: InternalServerError, 502: BadGateway, 503: ServiceUnavailable,
    504: GatewayTimeout}


def raise_for(response: requests.Response) -> None:
    """Raise the exception of an error response."""
    status = response.status_code
    if status < http.HTTPStatus.BAD_REQUEST:
        return
    try:
        sdk.raise_from_response(response)
    except sdk.HttpException as error:
        message = str(error.details or error.message)
    lock = _lock_of(response)
    if lock is not None:
        raise InstanceLocked(message, response, lock=lock)
    general = (HttpServerError
               if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
               else HTTPClientError)
    raise _BY_STATUS.get(status, general)(message, response)


def content(response: requests.Response, key: str) -> dict[str, Any]:
    """Return the object in a response, which has this key.

    Raises the exception of an error response, NotTheService.
    """
    raise_for(response)
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict) or key not in found:
        raise _other(response)
    return found


def done(response: requests.Response, status: http.HTTPStatus) -> None:
    """Check that a response has the expected status.

    Raises the exception of an error response, NotTheService.
    """
    raise_for(response)
    if response.status_code != status:
        raise _other(response)


def _other(response: requests.Response) -> NotTheService:
    return NotTheService(
        f'The endpoint {response.url} is not the bare-metal compute service')


def _lock_of(response: requests.Response) -> dict[str, Any] | None:
    """Return the lock that a refusal names, or None."""
    if response.status_code != http.HTTPStatus.CONFLICT:
        return None
    try:
        lock = response.json()['error']['lock']
    except (ValueError, TypeError, KeyError):
        return None
    return lock if isinstance(lock, dict) else None
