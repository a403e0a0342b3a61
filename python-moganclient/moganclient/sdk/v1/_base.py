# SPDX-License-Identifier: Apache-2.0
"""Base class of the resources."""

import urllib.parse
from collections.abc import Iterator
from typing import Any, Final, Self

import requests
from keystoneauth1 import adapter
from openstack import resource

from moganclient import exceptions

_UNKNOWN: Final = object()


class Resource(resource.Resource):
    """A resource whose errors are those of `moganclient.exceptions`."""

    # What a later release of the service adds can be read as well.
    _allow_unknown_attrs_in_body = True

    def _translate_response(self, response: requests.Response,
                            *args: Any, **kwargs: Any) -> None:
        exceptions.raise_for(response)
        super()._translate_response(response, *args, **kwargs)

    def patch_of(self, attrs: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the JSON patch from this resource to `attrs`, without equal
        values, and by key for objects."""
        operations: list[dict[str, Any]] = []
        for name, value in attrs.items():
            old = self._body.attributes.get(name, _UNKNOWN)
            if isinstance(old, dict) and isinstance(value, dict):
                operations += _keys(f'/{name}', old, value)
            elif old != value:
                operations.append(
                    {'op': 'add', 'path': f'/{name}', 'value': value})
        return operations

    @classmethod
    def pages(cls, session: adapter.Adapter, path: str | None = None, *,
              query: dict[str, Any] | None = None,
              **known: Any) -> Iterator[Self]:
        """Yield the items of a list; pages are fetched lazily.  `known`:
        attributes of each item that are in the path."""
        place = path or cls.base_path
        for values in _members(session, place, cls.resources_key or '',
                               query or {}):
            yield cls.existing(**(_attributes(values) | known))


def segment(text: str) -> str:
    """Quote a name or UUID as one path segment.

    Raises NotFound for a text that is not a single segment.
    """
    if text in {'', '.', '..'} or '/' in text:
        raise exceptions.NotFound(f'No resource named "{text}" exists.')
    return urllib.parse.quote(text, safe='')


def _keys(place: str, old: dict[str, Any],
          new: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in old.keys() - new.keys():
        yield {'op': 'remove', 'path': _below(place, key)}
    for key, value in new.items():
        if key not in old or old[key] != value:
            yield {'op': 'add', 'path': _below(place, key), 'value': value}


def _below(place: str, key: str) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return f'{place}/{key.replace("~", "~0").replace("/", "~1")}'


def _attributes(values: Any) -> dict[str, Any]:
    """Return the attributes of an item; a string is a name."""
    return values if isinstance(values, dict) else {'name': values}


def _members(session: adapter.Adapter, path: str, key: str,
             query: dict[str, Any]) -> Iterator[Any]:
    params: dict[str, Any] | None = {
        name: _word(value) for name, value in query.items()
        if value is not None}
    while params is not None:
        page = exceptions.content(session.get(path, params=params), key)
        asked, params = params, _following(page)
        if params == asked:
            raise exceptions.ClientException(
                f'Pagination does not advance: {params} is its own next page')
        yield from page[key]


def _following(page: dict[str, Any]) -> dict[str, Any] | None:
    """Return the query arguments of the next page's address.

    Only that: the service names itself as it was addressed, which a proxy
    in front may have changed, and credentials go to no other host.
    """
    address = page.get('next')
    if not address:
        return None
    return dict(urllib.parse.parse_qsl(
        urllib.parse.urlsplit(address).query, keep_blank_values=True))


def _word(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple, set, frozenset)):
        return ','.join(map(str, value))
    return value
