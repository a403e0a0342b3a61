# SPDX-License-Identifier: Apache-2.0
"""Write the schemas of the notifications into mogan/notifications/schemas."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from mogan import threads  # noqa: F401 - before anything else
from mogan.notifications import schemas

schemas.DIRECTORY.mkdir(exist_ok=True)
for old in schemas.DIRECTORY.glob('*.json'):
    old.unlink()
for event in schemas.EVENTS:
    text = json.dumps(schemas.of(event), indent=4)
    (schemas.DIRECTORY / f'{event}.json').write_text(f'{text}\n',
                                                     encoding='utf-8')
