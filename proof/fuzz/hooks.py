# SPDX-License-Identifier: Apache-2.0
"""Hooks that schemathesis loads beside the document: it names no other
process's modules, and says what it has sent."""

import base64
import collections
import json
import os
import pathlib
import re
import time
from typing import Any, Final

import requests
import schemathesis

from proof.fuzz import reasons
from proof.fuzz.names import RECORDS

# So many requests of each operation and status are kept for the bytes.
_KEPT: Final = 6
_INSTANCE: Final = re.compile(r'/v1/(instances|servers)/[^/?]+')
_TIMEOUT: Final = 20.0

_records: Final = pathlib.Path(os.environ[RECORDS]).open(  # noqa: SIM115
    'a', encoding='ascii')
_kept: Final['collections.Counter[tuple[str, int]]'] = collections.Counter()


@schemathesis.hook
def filter_failure(context: Any, failure: Any,  # noqa: ARG001 - named so
                   case: Any, response: Any) -> bool:  # noqa: ARG001
    """Valid requests are accepted, but for what no schema can say."""
    return not (type(failure).__name__ == 'RejectedPositiveData'
                and reasons.explains(response.status_code,
                                     response.content))


@schemathesis.hook
def after_call(context: Any,  # noqa: ARG001 - named so
               case: Any, response: Any) -> None:
    """Record the request; wait for the end of what was deleted: an
    instance goes after the answer, and is not to be found then."""
    request = response.request
    path = request.path_url
    _record(case.operation.label, request, response.status_code)
    if (request.method == 'DELETE' and response.status_code == 204  # noqa: PLR2004
            and _INSTANCE.fullmatch(path)):
        deadline = time.monotonic() + _TIMEOUT
        while requests.get(
                request.url, headers=request.headers,
                timeout=_TIMEOUT).status_code < 400:  # noqa: PLR2004
            if time.monotonic() > deadline:
                return  # use_after_free will say so
            time.sleep(0.02)


def _record(label: str, request: Any, status: int) -> None:
    _kept[label, status] += 1
    body = request.body or b''
    if _kept[label, status] > _KEPT or not isinstance(body, str | bytes):
        return
    if isinstance(body, str):
        body = body.encode('utf-8', 'surrogatepass')
    _records.write(json.dumps({
        'method': request.method, 'target': request.path_url,
        'type': request.headers.get('Content-Type'),
        'body': base64.b64encode(body).decode('ascii')}) + '\n')
    _records.flush()
