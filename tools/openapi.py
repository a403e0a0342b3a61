# SPDX-License-Identifier: Apache-2.0
"""Write the document of the API into api-ref/source/openapi.json."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from mogan.api import (  # noqa: E402
                  openapi,
                  root,
                  v1,
)

text = json.dumps(openapi.document(root.RootController, v1.VERSION),
                  indent=4)
(ROOT / 'api-ref/source/openapi.json').write_text(f'{text}\n',
                                                  encoding='utf-8')
