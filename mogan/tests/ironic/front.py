# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of Ironic, with a proxy's faults."""

import http.client
import http.server
import json
import ssl
import threading


def _error(text):
    return json.dumps({'error_message': json.dumps({
        'faultcode': 'Client', 'faultstring': text})}).encode()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server: 'Front'

    def _pass_on(self):
        length = int(self.headers.get('content-length') or 0)
        body = self.rfile.read(length) if length else None
        changes = self.command != 'GET'
        self.server.seen.append((self.command, self.path))
        self.server.bodies.append(body)
        if changes and self.server.fault == 'bad gateway':
            self._answer(502, b'<html>bad gateway</html>')
            return
        if self.server.fault == 'moved':
            self._answer(302, b'')
            return
        if changes and self.server.fault == 'logged out':
            self._answer(401, b'{}')
            return
        if self.server.fault == 'no rights':
            gone = '/v1/nodes/' in self.path
            self._answer(404 if gone else 403, _error(
                'Node could not be found.' if gone else 'Forbidden'))
            return
        inner = http.client.HTTPConnection('127.0.0.1', self.server.target)
        try:
            inner.request(self.command, self.path, body, {
                name: value for name, value in self.headers.items()
                if name.lower() not in {'host', 'connection'}})
            response = inner.getresponse()
            content = response.read()
        finally:
            inner.close()
        if changes and self.server.fault == 'lost answer':
            self.close_connection = True
            return
        if changes and self.server.fault == 'cut answer':
            content = content[:40]
        if self.server.fault == 'odd' and '/nodes' in self.path:
            content = b'{}'
        if self.server.fault == 'old':
            content = content.replace(b'"version": "1.115"',
                                      b'"version": "1.46"')
        self._answer(response.status, content)

    def _answer(self, status, content):
        self.send_response(status)
        self.send_header('Content-Length', str(len(content)))
        if status == 302:
            self.send_header('Location', self.server.elsewhere + self.path)
        if self.server.fault == 'closes':
            self.send_header('Connection', 'close')
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST = _pass_on  # noqa: N815

    def log_message(self, *arguments):
        pass


class Front(http.server.ThreadingHTTPServer):
    """Passes requests on to an Ironic on this host, but for its `fault`:

    bad gateway: changes are not passed on, the answer is 502
    logged out: nor are they here, and the answer is 401
    lost answer: changes are passed on, and not answered
    cut answer: changes are passed on, and the answer breaks off
    odd: nothing is said of nodes, in good JSON
    closes: a connection is good for one request
    moved: everything is said to be at `elsewhere`
    no rights: what a user is told who may see no node
    old: Ironic says that it is older than it is
    """

    daemon_threads = True

    def __init__(self, target: int, *,
                 files: tuple[str, str] | None = None) -> None:
        """`files`: a certificate and its key."""
        super().__init__(('127.0.0.1', 0), _Handler)
        if files:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(*files)
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.target = target
        self.fault: str | None = None
        self.elsewhere = ''
        self.seen: list[tuple[str, str]] = []
        self.bodies: list[bytes | None] = []
        self.url = f'http://127.0.0.1:{self.server_port}'
        # One that serves a whole process does not keep it from its end.
        self._thread = threading.Thread(target=self.serve_forever,
                                        args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
