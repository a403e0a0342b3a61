# SPDX-License-Identifier: Apache-2.0
"""python -m benchmarks: the results of doc/source/admin/performance.rst."""

import argparse
import contextlib
import dataclasses
import functools
import pathlib
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Final

from benchmarks import (
    client,
    data,
    databases,
    ironic,
    keystone,
    lists,
    memory,
    peers,
    profile,
    ratios,
    results,
    service,
    slow,
    wire,
)
from benchmarks.databases import Place
from benchmarks.results import Result


def _lists(place: Place, directory: pathlib.Path,
           rounds: int) -> list[Result]:
    with databases.made(place.kind, directory) as small:
        data.fill(small, data.SMALL)
        return lists.measure(place, small, 3 * rounds)


_FEWEST: Final = 60_000

# What is measured, each with a database of its own.
_MEASURES: Final[dict[str, tuple[str, Callable[
        [Place, pathlib.Path, int], list[Result]]]]] = {
    'lists': ('a page of each list, a large table beside a small one',
              _lists),
    'memory': ('the memory of a worker of the API and of the engine',
               lambda place, directory, _: memory.measure(
                   place, directory)),
    'ratios': ('CPU time of three requests beside that of their baselines',
               lambda place, _, rounds: ratios.measure(place, rounds)),
    'http': ('the same three over HTTP, and the slowest of many locks',
             lambda place, directory, rounds: wire.measure(
                 place, directory / 'mogan.conf', rounds)),
    'slow': ('a client beside 2,000 connections of slow ones',
             lambda place, directory, rounds: slow.measure(
                 place, directory / 'mogan.conf', rounds)),
}

# What needs something that is not the service's, and how to find it.
_PEERS: Final[dict[str, tuple[
        Callable[[], Any],
        Callable[[pathlib.Path, int], list[Result]]]]] = {
    'ironic': (functools.partial(peers.choose, 'Ironic', 'ironic'),
               ironic.measure),
    'client': (client.find, client.measure),
    'keystone': (functools.partial(
        peers.choose, 'Keystone', 'keystone-manage'), keystone.measure),
}


def main() -> int:
    """Measure; 1 where a result is over its goal."""
    arguments = _parse()
    # Ends what has been started, and drops what has been made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found: list[Result] = []
    with tempfile.TemporaryDirectory(prefix='mogan-benchmarks-',
                                     dir=arguments.directory) as directory:
        if arguments.what in _PEERS:
            found += _beside(arguments.what, pathlib.Path(directory),
                             arguments.rounds)
        else:
            with ratios.without(arguments.without):
                for kind in arguments.database:
                    found += _on(kind, pathlib.Path(directory), arguments)
    if found:
        print(results.as_json(found) if arguments.json
              else results.table(found))
    return int(any(result.verdict in {'over', 'under'} for result in found))


def _on(kind: str, directory: pathlib.Path,
        arguments: argparse.Namespace) -> list[Result]:
    if arguments.what == 'profile':
        with _filled(kind, directory, arguments.rows) as place:
            print(profile.show(place))
        return []
    found = []
    for name, (_, measure) in _MEASURES.items():
        if arguments.what in {name, 'all'}:
            # Of its own: some leave locks behind, and an engine has found
            # the nodes of the instances gone.
            with _filled(kind, directory, arguments.rows) as place:
                _tell(f'{kind}: {name}')
                found += measure(place, directory, arguments.rounds)
    return found


@contextlib.contextmanager
def _filled(kind: str, directory: pathlib.Path, rows: int) -> Iterator[Place]:
    with databases.made(kind, directory) as place:
        _tell(f'{kind}: adding {rows} instances')
        data.fill(place, rows)
        service.prepare(service.write(directory, place))
        yield dataclasses.replace(place, rows=rows)


def _beside(what: str, directory: pathlib.Path,
            rounds: int) -> list[Result]:
    find, measure = _PEERS[what]
    try:
        find()
    except peers.Missing as error:
        sys.exit(f'python -m benchmarks: {error}')
    _tell(what)
    return measure(directory, rounds)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parse() -> argparse.Namespace:
    lines = '\n'.join(f'  {name:8} {text}'
                      for name, (text, _) in _MEASURES.items())
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description='Measures what the service costs beside the least that '
                    'its answers need.\n\nwhat:\n' + lines + '\n  all      '
                    'everything above\n  profile  where the time of the '
                    'three requests goes\n  ironic   deploys and requests '
                    'beside those of a real Ironic\n           (after '
                    'tools/ironic-venv; on SQLite)\n  client   a command of '
                    'the client beside one that does nothing\n  keystone '
                    'what it costs to know who asks (after '
                    'tools/keystone-venv;\n           on SQLite)',
        epilog='The databases are made for the run and dropped after it. '
               'MariaDB and PostgreSQL\nare those of 127.0.0.1, or of '
               'MOGAN_TEST_MARIADB and MOGAN_TEST_POSTGRESQL. The exit\n'
               'status is 1 where a result is over its goal. Other work on '
               'the machine disturbs\nthe results of HTTP most, those of '
               'CPU time least.')
    parser.add_argument('what', choices=[
        *_MEASURES, 'all', 'profile', 'ironic', 'client', 'keystone'])
    parser.add_argument('--database', nargs='+', default=['sqlite'],
                        choices=databases.KINDS, metavar='KIND',
                        help=f'one or more of {", ".join(databases.KINDS)} '
                             '(default: sqlite)')
    parser.add_argument('--rounds', type=int, default=20, metavar='N',
                        help='how often service and baseline take turns '
                             '(default: %(default)s)')
    parser.add_argument('--rows', type=int, default=data.LARGE, metavar='N',
                        help='number of instances in the large table, at '
                             f'least {_FEWEST} for full pages of every list '
                             '(default: %(default)s)')
    parser.add_argument('--directory', metavar='DIR',
                        help='where to put SQLite files; a disk, for one in '
                             'memory makes durable writes look free '
                             '(default: where temporary files are)')
    parser.add_argument('--without', choices=ratios.TRICKS,
                        help='with ratios: leave out what makes requests '
                             'cheaper, to see what it is worth')
    parser.add_argument('--json', action='store_true',
                        help='print JSON in place of a table')
    arguments = parser.parse_args()
    if arguments.without and arguments.what != 'ratios':
        parser.error('--without goes with ratios')
    return arguments


if __name__ == '__main__':
    sys.exit(main())
