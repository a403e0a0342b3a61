# SPDX-License-Identifier: Apache-2.0
"""Inspect and change the simulated hardware, and script its faults."""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from mogan import version
from mogan.baremetal import driver
from mogan.baremetal.simulated import faults, inventory

_PROGRAM = 'mogan-simulator'
_DEFAULT = '.mogan/inventory.sqlite'
_EXAMPLES = """\
examples:
  mogan-simulator node list
  mogan-simulator fault add hang --call undeploy --seconds 20
  mogan-simulator fault add unavailable --forever
  mogan-simulator fault clear
  mogan-simulator node set rack1-node01 --no-protected
  mogan-simulator node set rack1-node05 --active
  mogan-simulator journal --after 120 --json
"""


class _Parser(argparse.ArgumentParser):
    """A parser that reports errors of the command line in one line, too."""

    def error(self, message: str) -> NoReturn:
        self.exit(1, f'{_PROGRAM}: {message}; see {self.prog} --help\n')


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return the exit status."""
    # Defaults of the parsers would undo options before the subcommand.
    arguments = _parser().parse_args(argv, argparse.Namespace(
        inventory=pathlib.Path(_DEFAULT), json=False))
    try:
        if arguments.run is not _node_add and not arguments.inventory.exists():
            raise inventory.InventoryError(
                f'inventory {arguments.inventory} not found; the first '
                f'start of the service creates it, or node add')
        store = inventory.Inventory(arguments.inventory)
        try:
            arguments.run(store, arguments)
        finally:
            store.close()
        sys.stdout.flush()
    except BrokenPipeError:
        # What reads our output has seen enough (head, less).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (driver.DriverError, inventory.InventoryError,
            ValueError) as error:
        print(f'{_PROGRAM}: {error}', file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    # On every level, so that they may precede or follow the subcommand.
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument('--inventory', type=pathlib.Path, metavar='PATH',
                        help=f'inventory file (default: {_DEFAULT})')
    common.add_argument('--json', action='store_true',
                        help='write JSON instead of a table')
    parser = _Parser(
        prog=_PROGRAM, description=__doc__, epilog=_EXAMPLES,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--version', action='version',
                        version=version.version_string())
    commands = parser.add_subparsers(required=True, metavar='COMMAND',
                                     parser_class=_Parser)
    node = commands.add_parser('node', help='nodes of the inventory')
    _add_node_commands(node.add_subparsers(required=True, metavar='ACTION'),
                       common)
    fault = commands.add_parser('fault', help='scripted faults')
    _add_fault_commands(
        fault.add_subparsers(required=True, metavar='ACTION'), common)
    journal = commands.add_parser(
        'journal', parents=[common], help='list the received calls',
        description='List the received calls, oldest first, with their '
                    'fencing tokens and outcomes.')
    journal.add_argument('--after', type=int, default=0, metavar='ID',
                         help='start after the entry of this id')
    journal.add_argument('--limit', type=int, default=1000, metavar='N',
                         help='maximum number of entries (default: 1000)')
    journal.set_defaults(run=_journal)
    return parser


def _add_node_commands(actions: Any, common: _Parser) -> None:
    action = actions.add_parser('list', parents=[common],
                                help='list all nodes')
    action.set_defaults(run=_node_list)
    action = actions.add_parser('add', parents=[common], help='add a node')
    action.add_argument('name', metavar='NAME')
    action.add_argument('--resource-class', required=True, metavar='CLASS',
                        help='such as CUSTOM_BAREMETAL_SMALL')
    action.add_argument('--trait', action='append', default=[],
                        help='trait (repeat for several)')
    action.add_argument('--zone', help='availability zone')
    action.set_defaults(run=_node_add)
    action = actions.add_parser(
        'remove', parents=[common],
        help='remove a node without an instance')
    action.add_argument('node', metavar='NODE', help='name or uuid')
    action.set_defaults(run=_node_remove)
    action = actions.add_parser(
        'set', parents=[common], help='change a node behind the service',
        description='Change a node directly in the simulated bare-metal '
                    'service, without Mogan.')
    action.add_argument('node', metavar='NODE', help='name or uuid')
    action.add_argument('--maintenance', default=None,
                        action=argparse.BooleanOptionalAction,
                        help='keep new instances off the node')
    action.add_argument('--protected', default=None,
                        action=argparse.BooleanOptionalAction,
                        help='let the node refuse undeploy and rebuild')
    action.add_argument('--reason', help='reason of the protection')
    action.add_argument('--active', default=None,
                        action=argparse.BooleanOptionalAction,
                        help='set the node in use, without an instance')
    action.add_argument('--image', metavar='UUID',
                        help='image that is deployed on the active node')
    action.add_argument('--zone', help="availability zone ('' for none)")
    action.set_defaults(run=_node_set)
    action = actions.add_parser(
        'config-drive', parents=[common],
        help='show the config drive of a node')
    action.add_argument('node', metavar='NODE', help='name or uuid')
    action.set_defaults(run=_node_config_drive)


def _add_fault_commands(actions: Any, common: _Parser) -> None:
    action = actions.add_parser(
        'add', parents=[common], help='script a fault',
        epilog='modes:\n' + '\n'.join(
            f'  {mode:12}{text}' for mode, text in faults.MEANING.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    action.add_argument('mode', metavar='MODE',
                        help='mode of the fault, see below')
    action.add_argument('--call', metavar='CALL', help='call '
                        f'(default: any): {", ".join(sorted(faults.CALLS))}')
    action.add_argument('--node', metavar='NODE',
                        help='name or uuid (default: any)')
    action.add_argument('--instance', metavar='UUID',
                        help='instance (default: any)')
    times = action.add_mutually_exclusive_group()
    times.add_argument('--times', type=int, default=1, metavar='N',
                       help='number of calls that fail (default: 1)')
    times.add_argument('--forever', action='store_true',
                       help='fail until the fault is cleared')
    action.add_argument('--seconds', type=float, default=0.0, metavar='S',
                        help='delay of the call, for '
                             f'{", ".join(sorted(faults.WAITS))}')
    action.add_argument('--message', help='text of the error')
    action.set_defaults(run=_fault_add)
    action = actions.add_parser('list', parents=[common],
                                help='list the pending faults')
    action.set_defaults(run=_fault_list)
    action = actions.add_parser('clear', parents=[common],
                                help='remove one fault, or all')
    action.add_argument('id', metavar='ID', nargs='?', type=int,
                        help='fault to remove (default: all)')
    action.set_defaults(run=_fault_clear)


def _node_list(store: inventory.Inventory,
               arguments: argparse.Namespace) -> None:
    nodes: list[driver.Node] = []
    while page := store.nodes(marker=nodes[-1].uuid if nodes else None):
        nodes.extend(page)
    nodes.sort(key=lambda node: node.name)
    _show(arguments, (dataclasses.asdict(node) for node in nodes),
          ('name', 'resource_class', 'availability_zone', 'availability',
           'power_state',
           'maintenance', 'protected', 'instance_uuid', 'last_error'))


def _node_add(store: inventory.Inventory,
              arguments: argparse.Namespace) -> None:
    node = inventory.new_node(arguments.name, arguments.resource_class,
                              arguments.trait, arguments.zone)
    store.add(node)
    _show(arguments, [dataclasses.asdict(node)],
          ('uuid', 'name', 'resource_class', 'traits', 'availability_zone'))


def _node_remove(store: inventory.Inventory,
                 arguments: argparse.Namespace) -> None:
    store.remove(store.named(arguments.node).uuid)


def _node_set(store: inventory.Inventory,
              arguments: argparse.Namespace) -> None:
    if (arguments.maintenance, arguments.protected, arguments.active,
            arguments.zone) == (None, None, None, None):
        raise ValueError('nothing to set: use --maintenance, --protected, '
                         '--active or the opposite, or --zone')
    if arguments.reason is not None and not arguments.protected:
        raise ValueError('--reason requires --protected')
    if arguments.image is not None and not arguments.active:
        raise ValueError('--image requires --active')
    node = store.named(arguments.node)
    if arguments.active is not None:
        store.set_active(node.uuid, arguments.active, arguments.image)
    if arguments.maintenance is not None:
        store.set_maintenance(node.uuid, arguments.maintenance)
    if arguments.protected is not None:
        store.set_protected(node.uuid, arguments.protected, arguments.reason)
    if arguments.zone is not None:
        store.set_zone(node.uuid, arguments.zone or None)


def _node_config_drive(store: inventory.Inventory,
                       arguments: argparse.Namespace) -> None:
    node = store.named(arguments.node)
    drive = store.config_drive(node.uuid)
    if drive is None:
        raise ValueError(f'node {node.name} has no config drive')
    print(json.dumps(drive, indent=2))


def _fault_add(store: inventory.Inventory,
               arguments: argparse.Namespace) -> None:
    fault = faults.Fault(
        arguments.mode, call=arguments.call,
        node_uuid=(None if arguments.node is None
                   else store.named(arguments.node).uuid),
        instance_uuid=arguments.instance,
        times=None if arguments.forever else arguments.times,
        seconds=arguments.seconds, message=arguments.message)
    fault = dataclasses.replace(fault, id=store.add_fault(fault))
    _show_faults(arguments, [fault])


def _fault_list(store: inventory.Inventory,
                arguments: argparse.Namespace) -> None:
    _show_faults(arguments, store.list_faults())


def _fault_clear(store: inventory.Inventory,
                 arguments: argparse.Namespace) -> None:
    store.clear_faults(arguments.id)


def _journal(store: inventory.Inventory,
             arguments: argparse.Namespace) -> None:
    entries = store.journal(after=arguments.after, limit=arguments.limit)
    _show(arguments, map(dataclasses.asdict, entries),
          ('id', 'at', 'call', 'node_uuid', 'instance_uuid', 'fence',
           'outcome', 'fault'))


def _show_faults(arguments: argparse.Namespace,
                 scripted: Iterable[faults.Fault]) -> None:
    _show(arguments, map(dataclasses.asdict, scripted),
          ('id', 'mode', 'call', 'node_uuid', 'instance_uuid', 'times',
           'seconds', 'message'))


def _show(arguments: argparse.Namespace, rows: Iterable[dict[str, Any]],
          columns: Sequence[str]) -> None:
    """Write the rows: all of them as JSON, or a table of these columns."""
    if arguments.json:
        print(json.dumps(list(rows), indent=2, default=_timestamp))
        return
    table = [columns, *([_cell(row[column]) for column in columns]
                        for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print('  '.join(map(str.ljust, line, widths)).rstrip())


def _cell(value: Any) -> str:
    match value:
        case None:
            return '-'
        case bool():
            return 'yes' if value else 'no'
        case tuple():
            return ' '.join(value) or '-'
        case datetime.datetime():
            return _timestamp(value)
        case _:
            return str(value)


def _timestamp(value: datetime.datetime) -> str:
    return value.isoformat(timespec='milliseconds')
