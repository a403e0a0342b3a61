# SPDX-License-Identifier: Apache-2.0
"""The fixture of the tests in gabbits/."""

from typing import Any

from gabbi import fixture

from mogan.tests.support import deployment

_RUNNING: list[deployment.Deployment] = []


def application() -> Any:
    """Stands for whichever deployment runs at the time of a request."""
    def dispatch(environ: Any, start_response: Any) -> Any:
        return _RUNNING[-1].application(environ, start_response)

    return dispatch


class Service(fixture.GabbiFixture):
    """A whole service with one engine, for one file of tests."""

    def start_fixture(self) -> None:
        _RUNNING.append(deployment.Deployment())
        _RUNNING[-1].start_engine()

    def stop_fixture(self) -> None:
        _RUNNING.pop().close()
