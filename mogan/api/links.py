# SPDX-License-Identifier: Apache-2.0
"""URLs in responses: links, the Location header and pagination."""

import urllib.parse
from typing import Any

import pecan


def base() -> str:
    """Return the base URL of the service, without a trailing slash."""
    request = pecan.request
    return request.services.settings.public_endpoint or (
        request.application_url.rstrip('/'))


def collection() -> str:
    """Return the collection in the path of the request."""
    name: str = pecan.request.path_info.split('/')[2]
    return name


def of(collection: str, uuid: str, address: str) -> list[dict[str, str]]:
    """Return the links of a resource; `address` is the base URL of the
    service."""
    return [{'rel': 'self', 'href': f'{address}/v1/{collection}/{uuid}'},
            {'rel': 'bookmark', 'href': f'{address}/{collection}/{uuid}'}]


def locate(path: str) -> None:
    """Set the Location header to the resource that the request created or
    changed."""
    pecan.response.headers['Location'] = f'{base()}/v1/{path}'


def page(collection: str, shown: list[Any], marker: str | None,
         ) -> dict[str, Any]:
    """Return the body of one page of a collection; `marker` is that of the
    next page, if there is one."""
    body: dict[str, Any] = {collection: shown}
    if marker is not None:
        request = pecan.request
        arguments = [(name, value)
                     for name, value in request.environ['mogan.query']
                     if name != 'marker']
        query = urllib.parse.urlencode([*arguments, ('marker', marker)])
        body['next'] = f'{base()}{request.path_info}?{query}'
    return body
