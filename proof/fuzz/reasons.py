# SPDX-License-Identifier: Apache-2.0
"""Reasons to refuse a request that fits the document with 400 all the same:
what no schema can say. Everything else is a fault of the document."""

import json
import re
from typing import Final

_UUID: Final = r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'

# A part of the message, and why it is not in the document.
REASONS: Final[dict[str, str]] = {
    rf'(marker|body|\$|\.|_\w+|keypair|flavor|image)\S*: '
    rf'\w+ {_UUID} not found':
        'what a uuid names is there, or is not',
    rf'action {_UUID} of this instance not found':
        'a marker is an entry of this one history',
    rf'flavor_uuid: the flavor {_UUID} is disabled':
        'another request may have disabled it',
    r'^\$(\.server)?\.('
    r'personality|scheduler_hints|adminPass|min_count|'
    r'max_count|preserve_ephemeral|networks'
    r')(\[\d+\])?: ':
        'older clients send it: what it asks for is refused in words',
    r'^\$\.server\.networks\[\d+\]\.port_id: the port \S+ is given twice$':
        'JSON Schema has no word for what one member of each item is',
    r'project_id: another project than your own needs all_tenants$':
        'whose project it is depends on who asks',
    r'image_uuid: is required: the current image of ':
        'the instance may have none that could be put on it again',
    r'(ssh_keys\[\d+\]|public_key|user_data): ':
        'whether a text is a key, or base64 of one, shows when it is read',
    r'key_name: key pair .+ not found':
        'what a name names is there, or is not',
    r'^\$\[\d+\]\.path: (?s:.+) not found to (add|replace|remove|test)':
        'a step of a patch works on what those before it have left',
    r'^\$\.metadata: .* has too many properties':
        'how many there are is known after the last step of a patch',
    r'^\$\.metadata: .* \(maxProperties: ':
        'how many there are is known after the last step of a patch',
    r'contains a NUL character$':
        'a patch may test for any value, and JSON Schema has no word for '
        'every text within one',
    r'contains an unpaired surrogate$':
        'JSON Schema has no word for it',
    r'a number has too many digits$':
        'a limit of the reader of JSON, far beyond every limit of the '
        'document',
    r'is nested more than 32 levels deep$':
        "the document's own first lines say so",
}
_REASONS: Final = re.compile('|'.join(REASONS))


def explains(status: int, body: bytes) -> bool:
    """Return whether an answer refuses its request for what no schema can
    say."""
    if status != 400:  # noqa: PLR2004
        return False
    try:
        message = json.loads(body)['error']['message']
    except (ValueError, KeyError, TypeError):
        return False
    return bool(_REASONS.search(message))
