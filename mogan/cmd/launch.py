# SPDX-License-Identifier: Apache-2.0
"""What every command does before its own work."""

import sys
from collections.abc import Sequence

from oslo_db import options as db_options
from oslo_log import log

from mogan import rpc, version
from mogan.conf import CONF


def register() -> None:
    """Make the libraries' options known, with our defaults."""
    log.register_options(CONF)
    # What a command prints is for programs, too.
    CONF.set_default('use_stderr', True)
    db_options.set_defaults(CONF)
    log.set_defaults(default_log_levels=[
        *log.get_default_log_levels(), 'alembic=WARNING'])
    rpc.set_defaults()


def prepare(arguments: Sequence[str] | None = None, *,
            config_files: list[str] | None = None) -> None:
    """Read the configuration and set up the log; `config_files` in place of
    those that are found in the usual places."""
    register()
    CONF(sys.argv[1:] if arguments is None else arguments, project='mogan',
         version=version.version_info.version_string(),
         default_config_files=config_files)
    log.setup(CONF, 'mogan')


def complain(message: object, cause: object = None) -> int:
    """Say in one line why a command cannot go on; returns its exit
    status."""
    program = sys.argv[0].rpartition('/')[2]
    lines = f'{message}: {cause}' if cause else str(message)
    print(f'{program}: {" ".join(lines.split())}', file=sys.stderr)
    return 1
