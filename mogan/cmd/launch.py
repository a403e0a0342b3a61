# SPDX-License-Identifier: Apache-2.0
"""Setup that all commands share: configuration, logging and error reports."""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from oslo_config import cfg
from oslo_db import options as db_options
from oslo_log import log

from mogan import rpc, version
from mogan.conf import CONF

LOG = log.getLogger(__name__)

# What the files of a host may lead to: one is missing, is a directory or
# holds something else, or the disk is full.
FILE_ERRORS: Final = (cfg.Error, log.LogConfigError, OSError)


def register() -> None:
    """Register the libraries' options, with our defaults."""
    log.register_options(CONF)
    # What a command prints is for programs, too.
    CONF.set_default('use_stderr', True)
    db_options.set_defaults(CONF)
    log.set_defaults(default_log_levels=[
        *log.get_default_log_levels(), 'alembic=WARNING'])
    rpc.set_defaults()


def prepare(arguments: Sequence[str] | None = None, *,
            config_files: list[str] | None = None) -> None:
    """Read the configuration and set up logging; `config_files` replace those
    in the default locations."""
    register()
    CONF(sys.argv[1:] if arguments is None else arguments, project='mogan',
         version=version.version_string(),
         default_config_files=config_files)
    log.setup(CONF, 'mogan')


def complain(message: object, cause: object = None) -> int:
    """Print in one line why a command cannot continue, and return its exit
    status."""
    program = sys.argv[0].rpartition('/')[2]
    lines = f'{message}: {cause}' if cause else str(message)
    print(f'{program}: {" ".join(lines.split())}', file=sys.stderr)
    return 1


def command(main: Callable[[], int]) -> Callable[[], int]:
    """Decorate a command so that errors of configuration and files are
    reported in one line."""
    @functools.wraps(main)
    def run() -> int:
        try:
            return main()
        except FILE_ERRORS as error:
            return complain(_sentence(error))
    return run


@contextlib.contextmanager
def worker() -> Iterator[None]:
    """Report in one line why a worker cannot start, and exit; the launcher
    starts another one."""
    fault: object = None
    try:
        yield
    except (*FILE_ERRORS, ValueError) as error:
        fault = _sentence(error)
    if fault is not None:
        LOG.error('A worker cannot start: %s', fault)
        sys.exit(1)


def _sentence(error: BaseException) -> object:
    if isinstance(error, OSError) and error.strerror:
        place = f'{error.filename}: ' if error.filename else ''
        return f'{place}{error.strerror}'
    return error
