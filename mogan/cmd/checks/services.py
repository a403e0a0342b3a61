# SPDX-License-Identifier: Apache-2.0
"""Checks of the services that this one depends on."""

import concurrent.futures
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, Final

import oslo_messaging
from oslo_upgradecheck import upgradecheck

from mogan import baremetal, broker, rpc
from mogan.api.middleware import auth
from mogan.api.middleware.auth import keystone
from mogan.baremetal.driver import DriverError
from mogan.baremetal.simulated import SimulatedDriver
from mogan.conf import CONF
from mogan.notifications import bus

Code = upgradecheck.Code
Result = upgradecheck.Result

_TIMEOUT: Final = 30.0  # seconds for one check


def _driver() -> None:
    with contextlib.closing(baremetal.load(CONF)) as driver:
        if isinstance(driver, SimulatedDriver):
            # A look would make the file, for whoever runs this.
            driver.inventory.check()
        else:
            driver.check()


def _broker() -> None:
    topic = CONF.engine.topic
    host = CONF.engine.host or socket.gethostname()
    broker.check(rpc.transport(CONF), topic, f'{topic}.{host}')
    if bus.enabled(CONF):
        broker.check(
            oslo_messaging.get_notification_transport(CONF),
            *(f'{name}.info' for name in CONF.notifications.topics))


def _keystone() -> None:
    if CONF.auth_strategy == 'keystone':
        keystone.log_in(CONF)


def _answers(check: Callable[[], None],
             what: str) -> Callable[[Any], Result]:
    """Turn a function that raises an error, or hangs, into a check."""
    def run(_: Any) -> Result:
        done: concurrent.futures.Future[None] = concurrent.futures.Future()
        threading.Thread(target=_call, args=(check, done),
                         daemon=True).start()
        try:
            done.result(_TIMEOUT)
        except TimeoutError:
            return Result(Code.FAILURE, f'{what} has not answered for '
                                        f'{_TIMEOUT:g} seconds.')
        except (ValueError, OSError, RuntimeError, DriverError,
                oslo_messaging.MessagingException, broker.BrokerError,
                auth.IdentityError) as error:
            return Result(Code.FAILURE, ' '.join(str(error).split()))
        return Result(Code.SUCCESS)
    return run


def _call(check: Callable[[], None],
          done: 'concurrent.futures.Future[None]') -> None:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - raised by `result`
        done.set_exception(error)
    else:
        done.set_result(None)


CHECKS: Final = (
    ('Hardware driver', _answers(_driver, 'The bare-metal service')),
    ('Broker', _answers(_broker, 'The broker')),
    ('Keystone', _answers(_keystone, 'Keystone')),
)
