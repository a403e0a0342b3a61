# SPDX-License-Identifier: Apache-2.0
"""Every error that a request can end with, and its HTTP status.

`message` is what the caller reads: it names the fault and the place.
`details` become fields beside it in the answer's `error` object.
"""

import datetime
import http
from typing import Any, ClassVar


class MoganError(Exception):
    """An error whose text may be shown to the caller."""

    code: ClassVar[int] = 500
    template: ClassVar[str] = 'An unexpected error occurred.'
    details: dict[str, Any]
    headers: dict[str, str]

    def __init__(self, message: str | None = None, **values: Any) -> None:
        self.message = message or self.template.format(**values)
        self.details = {}
        self.headers = {}
        super().__init__(self.message)

    @property
    def title(self) -> str:
        """The standard phrase of the status code."""
        return http.HTTPStatus(self.code).phrase


class Invalid(MoganError):
    code = 400
    template = '{place}: {fault}'


class Unauthorized(MoganError):
    code = 401
    template = 'The request needs valid credentials.'


class Forbidden(MoganError):
    code = 403
    template = 'Policy does not allow {rule} to be performed.'


class NotFound(MoganError):
    code = 404
    template = 'There is no such resource.'


class InstanceNotFound(NotFound):
    template = 'There is no instance {uuid}.'


class FlavorNotFound(NotFound):
    template = 'There is no flavor {uuid}.'


class KeyPairNotFound(NotFound):
    template = 'There is no key pair {name}.'


class MethodNotAllowed(MoganError):
    code = 405
    template = 'The method {method} is not allowed here.'

    def __init__(self, method: str, allow: list[str]) -> None:
        super().__init__(method=method)
        self.headers['Allow'] = ', '.join(allow)


class NotAcceptable(MoganError):
    code = 406
    template = 'Accept: only application/json can be answered.'


class Conflict(MoganError):
    code = 409


class InvalidState(Conflict):
    template = ('The instance {uuid} is in the status {status}, which does '
                'not allow {verb}.')


class NoNode(Conflict):
    template = ('The instance {uuid} in the status {status} has no node: '
                '{verb} is not possible.')


class NodeNotManageable(Conflict):
    template = 'The node {uuid} cannot be taken over: it {obstacle}.'


class NodeTaken(Conflict):
    template = ('The node {uuid} cannot be taken over: {instance} is on it, '
                'or has asked for it.')


class InstanceLocked(Conflict):
    """A lock stands in the way.

    `lock` tells since when, why and how it is released; who holds it is
    added by `reveal_holder`, for callers who may know; `project_id` is
    what rules about that ask for.
    """

    template = 'The instance {uuid} is locked{since}{by}{why}. {release}'

    def __init__(self, uuid: str, *, since: datetime.datetime | None,
                 reason: str | None, holder: str | None,
                 project_id: str) -> None:
        self.project_id = project_id
        self._uuid = uuid
        self._holder = holder
        self._lock = {
            'since': (f'{since.isoformat("T", "microseconds")}Z' if since
                      else None),
            'reason': reason,
            'release': f'PUT /v1/instances/{uuid}/states/unlock'}
        super().__init__(self._words())
        self.details['lock'] = self._lock

    def reveal_holder(self) -> None:
        """Say who locked it, too."""
        self._lock['by'] = self._holder
        self.message = self._words()

    def _words(self) -> str:
        lock = self._lock
        return self.template.format(
            uuid=self._uuid,
            since=f' since {lock["since"]}' if lock['since'] else '',
            by=f' by the user {lock["by"]}' if lock.get('by') else '',
            why=f': {lock["reason"]}' if lock['reason'] else '',
            release='An administrator releases it with '
                    f'{lock["release"]} {{"unlock": null}}')


class FlavorExists(Conflict):
    template = 'A flavor with the name {name} exists already.'


class FlavorInUse(Conflict):
    template = 'The flavor {uuid} is in use by at least one instance.'


class KeyPairExists(Conflict):
    template = 'A key pair with the name {name} exists already.'


class TooManyKeyPairs(Conflict):
    template = ('A user may have {most} key pairs. Delete one that is not '
                'needed any more.')


class BodyTooLarge(MoganError):
    code = 413
    template = 'The body is larger than {limit} bytes.'


class UnsupportedMediaType(MoganError):
    code = 415
    template = ('Content-Type {given}: the body has to be JSON; send the '
                'header "Content-Type: application/json".')


class TooManyRequests(MoganError):
    code = 429
    template = ('There are more requests from {who} than are taken. Come '
                'again in {seconds} seconds.')

    def __init__(self, message: str | None = None, **values: Any) -> None:
        super().__init__(message, **values)
        self.headers['Retry-After'] = str(values['seconds'])


class ServiceUnavailable(MoganError):
    """Something that the answer depends on is away; the same request may
    succeed later."""

    code = 503
    template = 'The service is not available at the moment. Try again.'
    retry_after: ClassVar[int] = 1

    def __init__(self, message: str | None = None, **values: Any) -> None:
        super().__init__(message, **values)
        self.headers['Retry-After'] = str(self.retry_after)


class DatabaseUnavailable(ServiceUnavailable):
    template = ('The database did not answer, so it is unknown whether the '
                'request was recorded. A lock, an unlock and a delete can be '
                'repeated safely; look first before you repeat anything '
                'else.')


class EngineUnavailable(ServiceUnavailable):
    template = 'No engine answered in time.'
