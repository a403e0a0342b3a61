# SPDX-License-Identifier: Apache-2.0
"""A small server that answers what a test tells it to, over real sockets."""

import dataclasses
import io
import json
import socketserver
import threading
import urllib.parse
import wsgiref.simple_server
from typing import Any

import openstack

from moganclient import sdk


@dataclasses.dataclass(frozen=True)
class Request:
    """A request that the server has received."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer to send; a status of None breaks the connection off."""

    status: int | None = 200
    body: Any = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


def refusal(status, message='no', lock=None, **headers):
    """Return an error in the format of the service."""
    error = {'code': status, 'title': 'x', 'message': message}
    if lock:
        error['lock'] = lock
    return Answer(status, {'error': error}, headers)


class _Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True

    def handle_error(self, *args):
        """Say nothing: who has waited long enough goes away."""


class _Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args):
        """Say nothing."""

    def get_stderr(self):
        """Drop the message for a connection that the test broke off."""
        return io.StringIO()


class Server:
    """Calls `answer` with each Request, which returns an Answer; `requests`
    are those that have come."""

    def __init__(self, answer):
        self._answer = answer
        self.requests = []
        self._server = wsgiref.simple_server.make_server(
            '127.0.0.1', 0, self._application, _Server, _Handler)
        self.endpoint = f'http://127.0.0.1:{self._server.server_port}'
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def _application(self, environ, start_response):
        length = int(environ.get('CONTENT_LENGTH') or 0)
        data = environ['wsgi.input'].read(length)
        request = Request(
            environ['REQUEST_METHOD'], environ['PATH_INFO'],
            dict(urllib.parse.parse_qsl(environ['QUERY_STRING'])),
            {name.removeprefix('HTTP_').lower(): value
             for name, value in environ.items() if name.startswith('HTTP_')},
            json.loads(data) if data else None)
        self.requests.append(request)
        answer = self._answer(request)
        if answer.status is None:
            raise ConnectionAbortedError
        body = b'' if answer.body is None else json.dumps(
            answer.body).encode()
        start_response(f'{answer.status} x', [
            ('Content-Type', 'application/json'),
            ('Content-Length', str(len(body))), *answer.headers.items()])
        return [body]

    def connect(self, endpoint=None, **options):
        """Return a connection of openstacksdk with the service in it."""
        return sdk.add_to(openstack.connect(
            load_yaml_config=False, load_envvars=False, auth_type='none',
            endpoint=endpoint or self.endpoint, **options))

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
