# SPDX-License-Identifier: Apache-2.0
"""As much of an image service as the old client asks for."""

import http.server
import json
import threading
from typing import Any, Final

IMAGES: Final = {
    'debian': '5f8f2d3c-5d1a-4a6b-9f53-0f3c8d1f7a10',
    'rescue': '0b6f2a7e-93a4-4d1c-8a52-6f0d3c9e2b41'}
_SCHEMA: Final = {'name': 'image', 'properties': {
    name: {'type': 'string'} for name in ('id', 'name', 'status')}}


class _Handler(http.server.BaseHTTPRequestHandler):

    def do_GET(self) -> None:
        every = {uuid: {'id': uuid, 'name': name, 'status': 'active'}
                 for name, uuid in IMAGES.items()}
        path = self.path.partition('?')[0]
        last = path.rpartition('/')[2]
        found: Any = every.get(last)
        if path.endswith('/schemas/image'):
            found = _SCHEMA
        elif last == 'images':
            found = {'images': list(every.values())}
        body = json.dumps(found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Images:
    """A running one; `close` it."""

    def __init__(self) -> None:
        self._server = http.server.ThreadingHTTPServer(
            ('127.0.0.1', 0), _Handler)
        self.url = f'http://127.0.0.1:{self._server.server_port}'
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
