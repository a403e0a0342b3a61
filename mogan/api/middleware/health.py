# SPDX-License-Identifier: Apache-2.0
"""The health check, and the backends that [healthcheck] backends may list
beside those of oslo.middleware."""

import concurrent.futures
import http
import socket
import threading
import time
from collections.abc import Iterable
from typing import Any, ClassVar, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import webob
from oslo_config import cfg
from oslo_middleware import healthcheck
from oslo_middleware.healthcheck import pluginbase

from mogan import broker, context, exception, rpc
from mogan.db import health, schema
from mogan.db.core import engine as db_engine
from mogan.fault_log import FaultLog

PATH: Final = '/healthcheck'

_TIMEOUT: Final = 2.0  # seconds
# Seconds for which queues are believed to stay as they were.
_QUEUES_KNOWN: Final = 30.0


class HealthCheck:
    """WSGI middleware that answers GET /healthcheck, without
    authentication."""

    def __init__(self, application: WSGIApplication, conf: cfg.ConfigOpts,
                 db: Any) -> None:
        self._application = application
        self._db = db
        # Where it does not answer, as to a foreign network, nothing is.
        self._check = healthcheck.Healthcheck(self._nothing, conf)

    def __call__(self, environ: WSGIEnvironment,
                 start_response: StartResponse) -> Iterable[bytes]:
        if environ.get('PATH_INFO') != PATH:
            return self._application(environ, start_response)
        if environ['REQUEST_METHOD'] != 'GET':
            raise exception.MethodNotAllowed(
                environ['REQUEST_METHOD'], ['GET', 'HEAD'])
        gate = self._db and self._db.gate
        if gate and gate.fault:
            raise exception.SchemaUnusable(gate.fault)
        answer = webob.Request(environ).get_response(self._check)
        if answer.status_int != http.HTTPStatus.OK:
            raise exception.ServiceUnavailable(answer.text)
        return answer(environ, start_response)

    @staticmethod
    def _nothing(*_: Any) -> Any:
        raise exception.NotFound


class _Bounded(pluginbase.HealthcheckBaseExtension):
    """A check in a thread of its own, one at a time: a caller waits two
    seconds at most."""

    what: ClassVar[str]

    def __init__(self, oslo_conf: Any, conf: Any) -> None:
        super().__init__(oslo_conf, conf)
        self._lock = threading.Lock()
        self._asked: concurrent.futures.Future[None] | None = None
        self._fault = FaultLog(f'{self.what} is not healthy',
                               f'{self.what} is healthy again')

    def healthcheck(self, server_port: int) -> pluginbase.HealthcheckResult:
        """Return whether the backend responds."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = concurrent.futures.Future()
                threading.Thread(target=self._answer, args=(self._asked,),
                                 daemon=True, name='health').start()
            asked = self._asked
        fault, details = self._fault_of(asked)
        if not fault:
            self._fault.succeeded()
            return pluginbase.HealthcheckResult(
                True, f'{self.what} answers')
        # The details name users and addresses: not for strangers.
        self._fault.failed(details or fault)
        return pluginbase.HealthcheckResult(False, f'{self.what} {fault}')

    def _fault_of(self, asked: 'concurrent.futures.Future[None]',
                  ) -> tuple[str, BaseException | None]:
        try:
            asked.result(_TIMEOUT)
        except TimeoutError:
            return f'has not answered for {_TIMEOUT:g} seconds', None
        except broker.BrokerError as error:
            return error.kind, error
        except exception.SchemaUnusable as error:
            return error.fault, None
        except Exception as error:  # noqa: BLE001 - whatever it is, it is away
            return 'does not answer', error.__cause__ or error
        return '', None

    def _answer(self, asked: 'concurrent.futures.Future[None]') -> None:
        try:
            self.ask()
        except Exception as error:  # noqa: BLE001 - raised by `result`
            asked.set_exception(error)
        else:
            asked.set_result(None)

    def ask(self) -> None:
        """Query the backend. Raises any exception where it does not
        respond."""
        raise NotImplementedError


class Database(_Bounded):
    """A check that reads a row, on a connection that is kept open."""

    what = 'The database'
    _db: db_engine.Database | None = None

    def ask(self) -> None:
        if self._db is None:
            self._db = db_engine.Database.from_conf(self.oslo_conf)
        health.ask(self._db)
        schema.verify(self._db)


class Broker(_Bounded):
    """A check that sends a message without a consumer, and verifies the
    configuration of the engines' queues."""

    what = 'The broker'
    _cast: Any = None
    _known_until = 0.0

    def ask(self) -> None:
        topic = self.oslo_conf.engine.topic
        if self._cast is None:
            self._transport = rpc.transport(self.oslo_conf)
            self._cast = rpc.client(
                self._transport, f'{topic}-health').prepare(retry=1)
        try:
            with broker.quiet():
                self._cast.cast(context.RequestContext(overwrite=False),
                                'answer')
        except broker.ERRORS as error:
            raise broker.BrokerError(error) from error
        if time.monotonic() >= self._known_until:
            self._known_until = 0.0
            host = self.oslo_conf.engine.host or socket.gethostname()
            broker.check(self._transport, topic, f'{topic}.{host}')
            self._known_until = time.monotonic() + _QUEUES_KNOWN
