# SPDX-License-Identifier: Apache-2.0
"""All errors that a request can end with, with their HTTP status.

`message` is shown to the caller: it names the fault and the place. `details`
become fields beside it in the `error` object of the response.
"""

import datetime
import http
from typing import Any, ClassVar

from mogan import timestamps


def root(error: BaseException) -> str:
    """Return the text of an error's root cause, in one line."""
    while error.__cause__ is not None and str(error.__cause__):
        error = error.__cause__
    return ' '.join(str(error).split()) or type(error).__name__


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
        """Return the reason phrase of the status code."""
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
    template = 'Resource not found.'


class InstanceNotFound(NotFound):
    template = 'Instance {uuid} not found.'


class FlavorNotFound(NotFound):
    template = 'Flavor {uuid} not found.'


class FlavorDisabled(NotFound):
    template = 'The flavor {uuid} is disabled.'


class KeyPairNotFound(NotFound):
    template = 'Key pair {name} not found.'


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


class NotUnderstood(Conflict):
    """The row has a value that this release does not know."""

    template = ('The instance {uuid} has the {column} "{value}", which this '
                'release does not know: a newer release has written it, or '
                'somebody by hand. Nothing is done until an operator has put '
                'it right.')


class RequirementNotUnderstood(Conflict):
    """A requirement of an instance is not known to this release."""

    template = ('The {table} {uuid} has the {column} "{value}", which this '
                'release does not know: a newer release has written it, or '
                'somebody by hand.')


class NoNode(Conflict):
    template = ('The instance {uuid} in the status {status} has no node: '
                '{verb} is not possible.')


class NodeNotManageable(Conflict):
    template = 'The node {uuid} cannot be taken over: it {obstacle}.'


class NodeTaken(Conflict):
    template = ('The node {uuid} cannot be taken over: {instance} is '
                'assigned to it, or was requested on it.')


class InstanceLocked(Conflict):
    """A lock does not allow the request.

    `lock` has its state, since when it is held, why, and how it is released;
    its holder is added by `reveal_holder`, for callers who may know;
    `project_id` is the target of that policy check.
    """

    template = 'The instance {uuid} is locked{since}{by}{why}. {end}'

    def __init__(self, uuid: str, *, state: str, ending: bool,
                 since: datetime.datetime | str | None, reason: str | None,
                 holder: str | None, project_id: str) -> None:
        self.project_id = project_id
        self._uuid = uuid
        self._holder = holder
        self._ending = ending
        self._lock = {
            'state': state,
            'since': timestamps.show(since),
            'reason': reason,
            'release': f'PUT /v1/instances/{uuid}/states/unlock'}
        super().__init__(self._words())
        self.details['lock'] = self._lock
        if ending:
            self.headers['Retry-After'] = '1'

    def reveal_holder(self) -> None:
        """Add the user who locked the instance."""
        self._lock['by'] = self._holder
        self.message = self._words()

    def _words(self) -> str:
        lock = self._lock
        return self.template.format(
            uuid=self._uuid,
            since=f' since {lock["since"]}' if lock['since'] else '',
            by=f' by the user {lock["by"]}' if lock.get('by') else '',
            why=f': {lock["reason"]}' if lock['reason'] else '',
            end=('It is being unlocked: wait until that is done, and try '
                 'again.') if self._ending else (
                'An administrator releases it with '
                f'{lock["release"]} {{"unlock": null}}'))


class PortInUse(Conflict):
    template = ('The port {port} is in use by another instance: choose '
                'another port, or delete that instance first.')


class FlavorExists(Conflict):
    template = 'A flavor with the name {name} already exists.'


class FlavorInUse(Conflict):
    template = 'The flavor {uuid} is in use by at least one instance.'


class KeyPairExists(Conflict):
    template = 'A key pair with the name {name} already exists.'


class TooManyKeyPairs(Conflict):
    template = ('Quota exceeded: a user may have {most} key pairs. Delete '
                'one that is no longer needed.')


class BodyTooLarge(MoganError):
    code = 413
    template = 'The body is larger than {limit} bytes.'


class UnsupportedMediaType(MoganError):
    code = 415
    template = ('Content-Type {given}: the body has to be JSON; send the '
                'header "Content-Type: application/json".')


class TooManyRequests(MoganError):
    code = 429
    template = ('Rate limit exceeded by {who}. Try again in {seconds} '
                'seconds.')

    def __init__(self, message: str | None = None, **values: Any) -> None:
        super().__init__(message, **values)
        self.headers['Retry-After'] = str(values['seconds'])


class ServiceUnavailable(MoganError):
    """A service that the response depends on is unavailable; the same request
    may succeed later."""

    code = 503
    template = 'The service is not available at the moment. Try again.'
    retry_after: ClassVar[int] = 1

    def __init__(self, message: str | None = None, **values: Any) -> None:
        super().__init__(message, **values)
        self.headers['Retry-After'] = str(self.retry_after)


class DatabaseUnavailable(ServiceUnavailable):
    template = ('The database did not answer, so it is unknown whether the '
                'request was recorded. A lock, an unlock and a delete can be '
                'repeated safely; check the result before you repeat any '
                'other request.')
    reading: ClassVar[str] = 'The database did not answer. Try again.'

    def tell_reader(self) -> None:
        """Reduce the message to what concerns a request that changes
        nothing."""
        self.message = self.reading


class SchemaUnusable(DatabaseUnavailable):
    """The database has not been upgraded, or is too new: nothing was read
    or recorded."""

    template = 'The database {fault}.'
    retry_after = 10

    def __init__(self, fault: str) -> None:
        super().__init__(fault=fault)
        self.fault = fault

    def tell_reader(self) -> None:
        """Keep the message: it is the same for all requests."""


class EngineUnavailable(ServiceUnavailable):
    template = 'No engine answered in time.'
