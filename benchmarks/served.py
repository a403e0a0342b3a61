# SPDX-License-Identifier: Apache-2.0
"""The service or a baseline on the service's web server, in a process of its
own."""

import contextlib
import gc
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from benchmarks import baselines, service
from benchmarks.databases import Place
from mogan.http_server import server

SERVICE: Final = 'service'

# As mogan-standalone has it.
_THREADS: Final = 3


@contextlib.contextmanager
def running(name: str, place: Place, config: pathlib.Path) -> Iterator[int]:
    """Run a server of the service, or of the baseline of that name; yields its
    port."""
    with module(__name__, name, place.kind, place.url, str(config)) as line:
        yield int(line)


@contextlib.contextmanager
def module(name: str, *arguments: str) -> Iterator[str]:
    """Run a module as a process; yields the first line of its output."""
    with subprocess.Popen([sys.executable, '-m', name, *arguments],
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline()
        finally:
            process.terminate()


def main() -> None:
    """Serve until the end of the process."""
    name, kind, url, config = sys.argv[1:]
    place = Place(kind, url)
    service.prepare(pathlib.Path(config))
    application = (service.application(place) if name == SERVICE
                   else baselines.BASELINES[name](place))
    front = server.build('127.0.0.1', 0, application, threads=_THREADS)
    gc.collect()
    gc.freeze()
    print(front.bind_addr[1], flush=True)
    front.serve()


if __name__ == '__main__':
    main()
