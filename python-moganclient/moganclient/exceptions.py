# SPDX-License-Identifier: Apache-2.0
"""What can go wrong. Everything here is an exception of openstacksdk as
well, so that code which knows only those works; the text of a refusal is the
service's own."""

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
    """An answer that is an error; its text is the service's message."""

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
    """The service, or what stands in front of it, could not answer."""


class BadRequest(HTTPClientError, sdk.BadRequestException):
    """400: the message names the place of the fault."""


class Unauthorized(HTTPClientError):
    """401: no credentials, or wrong ones."""


class Forbidden(HTTPClientError, sdk.ForbiddenException):
    """403: the policy does not allow this."""


class NotFound(HTTPClientError, sdk.NotFoundException):
    """404: it is not there, or belongs to another project."""


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
    """503: the same request may succeed later."""


class GatewayTimeout(HttpServerError):
    """504."""


class InstanceLocked(Conflict):
    """409: a lock stands in the way.

    `reason`: why, or None; `since`: a time in UTC as text; `release`: the
    request that releases it; `holder`: who locked it, where the caller may
    know, else None.
    """

    def __init__(self, message: str | None = None,
                 response: requests.Response | None = None, *,
                 lock: dict[str, Any] | None = None) -> None:
        super().__init__(message, response)
        lock = lock or {}
        self.reason: str | None = lock.get('reason')
        self.since: str | None = lock.get('since')
        self.release: str | None = lock.get('release')
        self.holder: str | None = lock.get('by')
        found = _RELEASED.search(self.release or '')
        self.instance_id: str | None = found[1] if found else None


class NotTheService(sdk.SDKException):
    """What answers at the endpoint is something else."""


class NotUnique(sdk.DuplicateResource):
    """Several have the name; `candidates` are those."""

    def __init__(self, message: str | None = None,
                 candidates: Iterable[Any] = ()) -> None:
        super().__init__(message)
        self.candidates = list(candidates)


class _Waited(sdk.SDKException):
    """`instance` as last seen, which stays where it is: it has a connection,
    and goes to no other process."""

    def __init__(self, message: str | None = None,
                 instance: Any = None) -> None:
        super().__init__(message)
        self.instance = instance

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__dict__ | {'instance': None}


class InstanceFailed(_Waited, sdk.ResourceFailure):
    """What was waited for will not come: `instance` is in `error`; `fault`
    says why, or is None."""

    def __init__(self, message: str | None = None,
                 instance: Any = None) -> None:
        super().__init__(message, instance)
        self.fault: dict[str, Any] | None = getattr(instance, 'fault', None)


class WaitTimeout(_Waited, sdk.ResourceTimeout):
    """What was waited for has not come in time; `instance` as last seen."""


NoUniqueMatch = NotUnique

_BY_STATUS: dict[int, type[HttpError]] = {
    400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound,
    405: MethodNotAllowed, 406: NotAcceptable, 409: Conflict,
    413: RequestEntityTooLarge, 415: UnsupportedMediaType,
    500: InternalServerError, 502: BadGateway, 503: ServiceUnavailable,
    504: GatewayTimeout}


def raise_for(response: requests.Response) -> None:
    """Raise what an answer stands for, if it is an error."""
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
    """The object in an answer, which has this key.

    Raises what the answer stands for, NotTheService.
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
    """See that this is how the service says that it has done as told.

    Raises what the answer stands for, NotTheService.
    """
    raise_for(response)
    if response.status_code != status:
        raise _other(response)


def _other(response: requests.Response) -> NotTheService:
    return NotTheService(
        f'What answers at {response.url} is not the bare-metal compute '
        'service')


def _lock_of(response: requests.Response) -> dict[str, Any] | None:
    """What the answer says of a lock, if that is why it is one."""
    if response.status_code != http.HTTPStatus.CONFLICT:
        return None
    try:
        lock = response.json()['error']['lock']
    except (ValueError, TypeError, KeyError):
        return None
    return lock if isinstance(lock, dict) else None
