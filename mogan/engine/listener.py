# SPDX-License-Identifier: Apache-2.0
"""The RPC server of an engine, retried until there is a broker."""

import gc
import threading
from typing import Final

import oslo_messaging

from mogan import broker, rpc
from mogan.engine.observer import Observer
from mogan.fault_log import FaultLog

# Seconds, like all below: that a start waits for the broker.
_CONNECT_TIMEOUT: Final = 5.0
_FIRST_BACK_OFF: Final = 0.5
_LAST_BACK_OFF: Final = 10.0
# Between two checks of a broker that was well.
_CHECK_INTERVAL: Final = 30.0
# A connection that was lost is replaced meanwhile.
_RECONNECT: Final = (1.0, 2.0, 4.0)


class Listener:
    """A listener to a topic, which tries again with back-off where the
    broker fails."""

    def __init__(self, transport: oslo_messaging.Transport,
                 topic: str, host: str, endpoint: object,
                 observer: Observer) -> None:
        self._transport = transport
        self._topic = topic
        self._host = host
        self._queues = topic, f'{topic}.{host}'
        self._endpoint = endpoint
        self._observer = observer
        self._server: oslo_messaging.MessageHandlingServer | None = None
        self._pause = _FIRST_BACK_OFF
        self._fault = FaultLog(
            'No messages can be taken from the broker, and requests are '
            'found in the database alone',
            'Messages are taken from the broker again')
        self._tried = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True,
                                        name='listen')

    def start(self) -> None:
        """Take messages as soon as there is a broker."""
        self._thread.start()
        self._tried.wait(_CONNECT_TIMEOUT)

    def stop(self) -> None:
        """Finish what has come, and take no more."""
        self._stopping.set()
        # It may wait for a broker that is away.
        self._thread.join(_FIRST_BACK_OFF)
        if self._server is not None:
            self._server.stop()
            self._server.wait()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._try()
            if self._fault:
                # A start that failed keeps its connection in a cycle.
                gc.collect()
            self._tried.set()
            self._stopping.wait(self._pause)

    def _try(self) -> None:
        failure: broker.BrokerError | None = None
        begins = self._server is None
        try:
            broker.check(self._transport, *self._queues)
            if begins:
                self._listen()
            else:
                self._check_consumers()
        except broker.BrokerError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the next time may do better
            failure = broker.BrokerError(error)
        if failure:
            self._pause = (min(self._pause * 2, _LAST_BACK_OFF)
                           if self._fault else _FIRST_BACK_OFF)
            self._fault.failed(failure)
        else:
            # Its subscriptions are made in the background.
            self._pause = _FIRST_BACK_OFF if begins else _CHECK_INTERVAL
            self._fault.succeeded()
        self._observer.listening(well=not failure)

    def _check_consumers(self) -> None:
        """Check that the broker has this engine's subscriptions, which it may
        leave unanswered for ever.  Raises BrokerError."""
        for pause in (*_RECONNECT, 0):
            missing = broker.unconsumed(self._transport, *self._queues)
            if not missing or self._stopping.wait(pause):
                return
        raise broker.BrokerError(
            LookupError(f'no consumer of {" or ".join(missing)}'),
            'does not deliver messages')

    def _listen(self) -> None:
        # One that has failed to start cannot be started again.
        server = rpc.server(self._transport, self._topic, self._host,
                            self._endpoint)
        with broker.quiet():
            server.start()
        self._server = server
