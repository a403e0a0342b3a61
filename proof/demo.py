# SPDX-License-Identifier: Apache-2.0
"""A minute of races for a lock: Mogan's, and the usual one.

Both are the standalone service, black box, over HTTP on 127.0.0.1.  The
usual one differs in one function: it reads the row, decides, and writes
then (`proof/rig/naive.py`).
"""

import argparse
import pathlib
import secrets
import sys
import tempfile
import time
from typing import Final

from mogan.tests.support.processes import Family, exit_on_signals
from mogan.tests.support.standalone import Standalone
from proof.rig import services, wire
from proof.rig.history import History
from proof.rig.load import NODES, Load
from proof.rig.tail import Tail
from proof.rig.verdict import Verdict, judge

_CONF: Final = """\
[simulated]
deploy_time = 0.05
rebuild_time = 0.05
undeploy_time = 0.05
power_time = 0.05
"""
_NAMES: Final = {services.OURS: 'Mogan',
                 services.NAIVE: 'check first, write then'}


def main() -> int:
    """Race both; 0 where Mogan broke no lock and the other one did."""
    parser = argparse.ArgumentParser(prog='demo-race',
                                     description=__doc__.partition('\n')[0])
    parser.add_argument('--seconds', type=float, default=20,
                        help='of each race (default: %(default)s)')
    parser.add_argument('--seed', type=int, help="of the clients' dice")
    arguments = parser.parse_args()
    seed = (secrets.randbelow(10**9) if arguments.seed is None
            else arguments.seed)
    exit_on_signals()
    print('Clients lock and destroy the same instances at the same time, '
          f'{arguments.seconds:g} seconds each (seed {seed}) ...',
          flush=True)
    verdicts = {variant: _race(variant, arguments.seconds, seed)
                for variant in _NAMES}
    print(f'\n{"":<26}{"pairs raced":>12}{"locks acknowledged":>20}'
          f'{"of these broken":>17}')
    for variant, verdict in verdicts.items():
        print(f'{_NAMES[variant]:<26}{verdict.pairs:>12}'
              f'{verdict.locks:>20}{verdict.broken:>17}')
    print('\npair: a lock and a delete or rebuild of one instance that '
          'overlapped.\nbroken: the node was wiped or rebuilt after the '
          'lock was answered with 202,\nand before anybody asked to '
          'unlock.')
    ours, naive = verdicts.values()
    for violation in ours.violations:
        print(violation)
    return 1 if ours.violations or not naive.broken else 0


def _race(variant: services.Variant, seconds: float, seed: int) -> Verdict:
    with tempfile.TemporaryDirectory(prefix='mogan-demo-') as name:
        directory = pathlib.Path(name)
        family = Family(directory)
        try:
            service = Standalone(family, directory)
            _write_files(service.directory)
            service.start(services.command(variant, 'standalone'))
            return _observe(service, seconds, seed)
        finally:
            family.close()


def _write_files(directory: pathlib.Path) -> None:
    """Accounts with cheap passwords, hardware that works fast."""
    (directory / 'mogan.conf').write_text(_CONF, encoding='utf-8')
    services.write_users(directory / 'users')
    (directory / 'credentials.env').write_text(''.join(
        f'MOGAN_{name.upper()}_PASSWORD={name}\n'
        for name in (wire.ADMIN, wire.OWNER)), encoding='utf-8')
    services.write_inventory(directory / 'inventory.sqlite', NODES)


def _observe(service: Standalone, seconds: float, seed: int) -> Verdict:
    record = History()
    tail = Tail(service.directory / 'inventory.sqlite', 'spare')
    load = Load(seed, [service.port], services.make_flavor(service.port),
                record)
    tail.start()
    load.start()
    try:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(0.1)
            load.check()
    finally:
        load.stop()
    time.sleep(1)   # for the last calls to the hardware
    return judge(record.all(), tail.close())


if __name__ == '__main__':
    sys.exit(main())
