# SPDX-License-Identifier: Apache-2.0
"""`.. command-help:: mogan-dbsync purge`: what the command's --help says."""

import importlib.metadata
import os
import subprocess
import sys

from docutils import nodes
from docutils.parsers.rst import Directive

SECONDS = 60
# The command, in the interpreter of this build, under its own name.
RUN = """
import importlib.metadata, sys
name = sys.argv[0] = sys.argv.pop(1)
[found] = importlib.metadata.entry_points(group='console_scripts', name=name)
sys.exit(found.load()())
"""


class CommandHelp(Directive):
    """The help of one command, as a literal block."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        command = self.arguments[0].split()
        found = importlib.metadata.entry_points(
            group='console_scripts', name=command[0])
        if not found:
            raise self.error(f'{command[0]} is not installed')
        # No one's home and no one's configuration in what is printed.
        environment = {name: value for name, value in os.environ.items()
                       if name in {'PATH', 'PYTHONPATH', 'LANG', 'LC_ALL'}}
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, '-c', RUN, *command, '--help'],
            env=environment | {'HOME': '/nonexistent', 'COLUMNS': '76'},
            capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise self.error(
                f'{" ".join(command)} --help failed: {done.stderr[-500:]}')
        text = done.stdout.rstrip()
        block = nodes.literal_block(text, text)
        block['language'] = 'none'
        return [block]


def setup(app):
    app.add_directive('command-help', CommandHelp)
    return {'version': '1', 'parallel_read_safe': True}
