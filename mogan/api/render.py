# SPDX-License-Identifier: Apache-2.0
"""Bodies of answers."""

import json
from typing import Any

import orjson


def to_json(value: Any) -> bytes:
    """A JSON text, without blanks."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair: a caller's, or in the name of a node.
        return json.dumps(value, separators=(',', ':')).encode('ascii')
