# SPDX-License-Identifier: Apache-2.0
"""The errors that Ironic's responses stand for."""

import dataclasses
import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from mogan.baremetal import driver

# Ironic's own words are all that tells these from each other.
_LOCKED: Final = 'is locked by host'
_IN_TRANSITION: Final = 'while a state transition is in progress'
# Nothing has begun.
_NO_ROOM: Final = ('lack of free conductor workers',
                   'concurrent action limit')
_NOT_PROTECTABLE: Final = 'can only be made protected'
_PROTECTED: Final = 'is protected'
_NO_SUCH_NODE: Final = 'could not be found'


class Locked(driver.NodeBusy):
    """Ironic is at work on the node; moments later it may not be."""


class Conflict(driver.Refused):
    """The node, or the instance, is somebody else's by now."""


class LoggedOut(driver.Unavailable):
    """The token, or the password, is not good any more."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """One response; `request_id` is Ironic's."""

    status: int
    body: bytes
    request_id: str | None = None

    def json(self) -> dict[str, Any]:
        """Return the body.  Raises Unavailable if it is not Ironic's."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise self._strange()
        return value

    def nodes(self, fields: Collection[str], *,
              listed: bool = False) -> dict[str, Any]:
        """Return the body: a node, or a list of nodes, with these fields.

        Raises Unavailable if it is not Ironic's.
        """
        value = self.json()
        nodes = value.get('nodes') if listed else [value]
        if not isinstance(nodes, list) or not all(
                isinstance(node, dict) and {*fields} <= node.keys()
                for node in nodes):
            raise self._strange()
        return value

    def _strange(self) -> driver.Unavailable:
        return driver.Unavailable(
            f'what answers {self.status} is not Ironic: {self.text}')

    @property
    def text(self) -> str:
        """Return the message of the response, to show."""
        # Errors are a JSON string inside JSON.
        value: Any = self.body.decode(errors='replace')
        for key in ('error_message', 'faultstring'):
            try:
                value = json.loads(value) if isinstance(value, str) else value
            except (ValueError, RecursionError):
                break
            if not isinstance(value, dict) or key not in value:
                break
            value = value[key]
        text = value if isinstance(value, str) else json.dumps(value)
        text = ' '.join(text.split())[:500]
        return f'{text} ({self.request_id})' if self.request_id else text

    @property
    def transient(self) -> bool:
        """Return whether a read that got this response may be retried."""
        return self.status == 409 or self.status >= 500  # noqa: PLR2004

    @property
    def no_such_node(self) -> bool:
        """Return whether Ironic, and not some proxy, says not found."""
        return (self.status == 404 and _NO_SUCH_NODE in self.text  # noqa: PLR2004
                and b'faultstring' in self.body)


def check_read(answer: Answer) -> None:
    """Raise the error of a response to a read, if it is one."""
    if answer.status == 200:  # noqa: PLR2004
        return
    if answer.no_such_node:
        raise driver.NotOurs(answer.text)
    if answer.status == 400:  # noqa: PLR2004
        raise driver.Refused(f'Ironic refuses: {answer.text}')
    if answer.status == 401:  # noqa: PLR2004
        raise LoggedOut(f'Ironic wants another login: {answer.text}')
    raise driver.Unavailable(
        f'Ironic answered {answer.status}: {answer.text}')


def found(answer: Answer, path: str,
          query: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a read has found, with all the fields requested."""
    check_read(answer)
    if 'fields' not in query:
        return answer.json()
    return answer.nodes(query['fields'].split(','),
                        listed=path == '/v1/nodes')


def check_write(answer: Answer) -> None:
    """Raise the error of a response to a write, if it is one."""
    text = answer.text
    match answer.status:
        case 200 | 201 | 202 | 204:
            return
        case 404 if answer.no_such_node:
            raise driver.NotOurs(text)
        case 403 if _PROTECTED in text:
            raise driver.Protected(f'Ironic refuses: {text}')
        case 409:
            raise _conflict(text)
        case 503 if any(words in text for words in _NO_ROOM):
            raise driver.NodeBusy(text)
        case 401:
            raise LoggedOut(f'Ironic wants another login: {text}')
        case 404 | 406 | 421 | 425 | 429:
            raise driver.Unavailable(
                f'Ironic answered {answer.status}: {text}')
        # Some proxies say 408 where it is Ironic that did not answer in time.
        case status if status == 408 or status >= 500:  # noqa: PLR2004
            raise driver.OutcomeUnknown(f'Ironic answered {status}: {text}')
        case status if status >= 400:  # noqa: PLR2004
            raise driver.Refused(f'Ironic refuses: {text}')
        case status:
            raise driver.Unavailable(
                f'what answers {status} is not Ironic: {text}')


def _conflict(text: str) -> driver.Definite:
    if _LOCKED in text:
        return Locked(text)
    if _IN_TRANSITION in text:
        return driver.NodeBusy(text)
    if _NOT_PROTECTABLE in text:
        return driver.NotProtectable(text)
    return Conflict(f'Ironic refuses: {text}')
