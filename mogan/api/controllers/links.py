# SPDX-License-Identifier: Apache-2.0
"""The addresses that answers refer to."""

import urllib.parse
from typing import Any

import pecan


def base() -> str:
    """The address of the service, without a slash at its end."""
    request = pecan.request
    return request.services.settings.public_endpoint or (
        request.application_url.rstrip('/'))


def collection() -> str:
    """The collection that the path of the request lies in."""
    name: str = pecan.request.path_info.split('/')[2]
    return name


def of(collection: str, uuid: str, address: str) -> list[dict[str, str]]:
    """The links of a resource; `address` is the service's."""
    return [{'rel': 'self', 'href': f'{address}/v1/{collection}/{uuid}'},
            {'rel': 'bookmark', 'href': f'{address}/{collection}/{uuid}'}]


def locate(path: str) -> None:
    """Send the address of what the request has made or changed."""
    pecan.response.headers['Location'] = f'{base()}/v1/{path}'


def page(collection: str, shown: list[Any], marker: str | None,
         ) -> dict[str, Any]:
    """The body of one page of a collection; `marker` is that of the next
    page, where there is one."""
    body: dict[str, Any] = {collection: shown}
    if marker is not None:
        request = pecan.request
        arguments = [(name, value)
                     for name, value in request.environ['mogan.query']
                     if name != 'marker']
        query = urllib.parse.urlencode([*arguments, ('marker', marker)])
        body['next'] = f'{base()}{request.path_info}?{query}'
    return body
