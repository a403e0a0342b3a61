# SPDX-License-Identifier: Apache-2.0
"""Checks that [healthcheck] backends may name, beside those of
oslo.middleware."""

import concurrent.futures
import threading
from typing import Any, ClassVar, Final

from oslo_log import log
from oslo_middleware.healthcheck import pluginbase

from mogan import context, rpc
from mogan.db import engine as db_engine
from mogan.db import health

LOG = log.getLogger(__name__)

_PATIENCE: Final = 2.0  # seconds


class _Bounded(pluginbase.HealthcheckBaseExtension):
    """Asked in a thread of its own, once at a time: whoever wants to know
    waits two seconds at most."""

    what: ClassVar[str]

    def __init__(self, oslo_conf: Any, conf: Any) -> None:
        super().__init__(oslo_conf, conf)
        self._lock = threading.Lock()
        self._asked: concurrent.futures.Future[None] | None = None

    def healthcheck(self, server_port: int) -> pluginbase.HealthcheckResult:
        """Whether it answers."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = concurrent.futures.Future()
                threading.Thread(target=self._answer, args=(self._asked,),
                                 daemon=True, name='health').start()
            asked = self._asked
        try:
            asked.result(_PATIENCE)
        except TimeoutError:
            return pluginbase.HealthcheckResult(
                False, f'{self.what} has not answered for {_PATIENCE:g} '
                'seconds')
        except Exception as error:  # noqa: BLE001 - whatever it is, it is away
            LOG.warning('%s does not answer: %s', self.what,
                        error.__cause__ or error)
            return pluginbase.HealthcheckResult(
                False, f'{self.what} does not answer')
        return pluginbase.HealthcheckResult(True, f'{self.what} answers')

    def _answer(self, asked: 'concurrent.futures.Future[None]') -> None:
        try:
            self.ask()
        except Exception as error:  # noqa: BLE001 - raised by `result`
            asked.set_exception(error)
        else:
            asked.set_result(None)

    def ask(self) -> None:
        """Return where it answers.  Raises anything where it does not."""
        raise NotImplementedError


class Database(_Bounded):
    """A row is read, on a connection that is kept."""

    what = 'The database'
    _db: db_engine.Database | None = None

    def ask(self) -> None:
        if self._db is None:
            self._db = db_engine.Database.from_conf(self.oslo_conf)
        health.ask(self._db)


class Broker(_Bounded):
    """A message is sent that nobody takes."""

    what = 'The broker'
    _cast: Any = None

    def ask(self) -> None:
        if self._cast is None:
            transport = rpc.transport(self.oslo_conf)
            topic = f'{self.oslo_conf.engine.topic}-health'
            self._cast = rpc.client(transport, topic).prepare(retry=1)
        self._cast.cast(context.RequestContext(overwrite=False), 'answer')
