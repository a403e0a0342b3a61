# SPDX-License-Identifier: Apache-2.0
"""The cost of the service on top of Ironic, whose fake hardware takes no time:
both do the same in turns, over the same Ironic."""

import concurrent.futures
import contextlib
import pathlib
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from benchmarks import ironic_beside, ironic_server, ironic_service
from benchmarks.ironic_bare import Bare, order
from benchmarks.ironic_service import WORKERS, Client
from benchmarks.results import Result
from mogan.baremetal.driver import Permit
from mogan.baremetal.ironic.driver import IronicDriver
from mogan.tests.ironic.drivers import make_driver
from mogan.tests.ironic.server import Ironic

_Several = AbstractContextManager[list[Any]]

_DATABASE: Final = 'sqlite'
_FEW: Final = 50
_MANY: Final = 10_000
_CROWD: Final = 50
_CROWDS: Final = 3
_WARM_UP: Final = 3

_OVERHEAD_GOAL: Final = 1.3
_CROWD_GOAL: Final = 0.9
_CLAIM_GOAL: Final = 20  # ms


def measure(directory: pathlib.Path, rounds: int) -> list[Result]:
    """Return all results; a deploy and a claim are repeated `rounds` times."""
    found = []
    nodes = 2 * (rounds + _WARM_UP + _CROWDS * _CROWD) + _FEW
    with ironic_server.running(nodes) as ironic, ironic_service.running(
            ironic, directory) as access:
        _check(ironic, access)
        found += _deploys(ironic, access, rounds)
        found += _crowds(ironic, access)
    with ironic_server.running(_FEW) as few, ironic_server.running(
            _MANY) as many:
        found += _claims(few, many, rounds)
    return found + ironic_beside.measure(directory, rounds)


@contextlib.contextmanager
def _both(ironic: Ironic, access: tuple[int, str],
          ) -> Iterator[tuple[Client, Bare]]:
    with contextlib.closing(Client(*access)) as client, contextlib.closing(
            Bare(ironic.port)) as bare:
        yield client, bare


def _check(ironic: Ironic, access: tuple[int, str]) -> None:
    """See that both send Ironic the same requests, but for the number of
    looks at the end."""
    with _both(ironic, access) as both:
        for _ in range(_WARM_UP):
            mine, bare = (_requests(ironic, one.deploy) for one in both)
    assert mine == bare, f'\n{mine}\n{bare}'


def _requests(ironic: Ironic, deploy: Callable[[], Any]) -> list[str]:
    """Return the requests to Ironic, from its log."""
    before = len(ironic.log())
    deploy()
    found = []
    for line in ironic.log()[before:].splitlines():
        if 'ironic.api ' in line:
            _, request, _ = line.split(' - ')[-3:]
            method, path = request.split()
            path = '/'.join('UUID' if len(part) == 36 else part  # noqa: PLR2004
                            for part in path.partition('?')[0].split('/'))
            found.append(f'{method} {path}')
    while found[-2:-1] == found[-1:]:
        found.pop()
    return found


def _deploys(ironic: Ironic, access: tuple[int, str],
             rounds: int) -> list[Result]:
    with _both(ironic, access) as both:
        turns = [[one.deploy() for one in both] for _ in range(rounds)]
    mine, bare = (statistics.median(column) * 1e3
                  for column in zip(*turns, strict=True))
    return [Result('one deploy / Ironic alone', _DATABASE, mine / bare, '',
                   _OVERHEAD_GOAL, f'{mine:.0f} / {bare:.0f} ms')]


@contextlib.contextmanager
def _several(make: Callable[[], Any]) -> Iterator[list[Any]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(make()))
               for _ in range(WORKERS)]


def _crowds(ironic: Ironic, access: tuple[int, str]) -> list[Result]:
    # Idle connections are closed after a while: each crowd has its own.
    turns = [(_crowd(_several(lambda: Client(*access))),
              _crowd(_several(lambda: Bare(ironic.port))))
             for _ in range(_CROWDS)]
    mine, bare = (statistics.median(column)
                  for column in zip(*turns, strict=True))
    detail = '; '.join(f'{one:.1f} / {other:.1f}' for one, other in turns)
    return [Result(f'{_CROWD} deploys, {WORKERS} workers / Ironic alone',
                   _DATABASE, mine / bare, '', _CROWD_GOAL,
                   f'{detail} deploys/s', least=True)]


def _crowd(opened: _Several) -> float:
    """Deploys a second; whoever has one done begins the next."""
    began = time.perf_counter()
    with opened as workers, concurrent.futures.ThreadPoolExecutor(
            WORKERS) as pool:
        deploys = iter(range(_CROWD))
        list(pool.map(lambda worker: [worker.deploy() for _ in deploys],
                      workers))
    return _CROWD / (time.perf_counter() - began)


def _claims(few: Ironic, many: Ironic, rounds: int) -> list[Result]:
    with contextlib.ExitStack() as stack:
        drivers = [stack.enter_context(contextlib.closing(make_driver(
            ironic.url))) for ironic in (few, many)]
        for driver in drivers:
            _claim(driver)
        turns = [[_claim(driver) for driver in drivers]
                 for _ in range(rounds)]
    small, large = (statistics.median(column) * 1e3
                    for column in zip(*turns, strict=True))
    return [Result(f'a claim, {_MANY:,} nodes more than {_FEW}', _DATABASE,
                   large - small, 'ms', _CLAIM_GOAL,
                   f'{large:.1f} - {small:.1f} ms')]


def _claim(driver: IronicDriver) -> float:
    wanted, began = order(), time.perf_counter()
    node = driver.claim(wanted, Permit(1, lambda: True))
    taken = time.perf_counter() - began
    driver.undeploy(node.uuid, wanted.instance_uuid,
                    Permit(2, lambda: True))
    return taken
