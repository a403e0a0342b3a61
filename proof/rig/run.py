# SPDX-License-Identifier: Apache-2.0
"""One run, from the first process to the verdict."""

import contextlib
import pathlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent import futures
from typing import Final

from mogan.tests.support import processes
from mogan.tests.support.broker import Broker
from mogan.tests.support.processes import Family
from proof.rig import history, records, settle, strange, wire
from proof.rig.history import History, Operation
from proof.rig.load import NODES, Load, instances
from proof.rig.nemesis.hardware import Hardware
from proof.rig.nemesis.lanes import GAPS, Fault, Lane, Schedule, chosen
from proof.rig.nemesis.pauses import Pauses
from proof.rig.nemesis.rows import RowFaults
from proof.rig.nemesis.services import Services, Stuck
from proof.rig.report import Plan, Report
from proof.rig.services import (
    OURS,
    Deployment,
    Supervisor,
    make_flavor,
)
from proof.rig.tail import Tail
from proof.rig.topologies import TOPOLOGIES
from proof.rig.verdict import judge, without_stale

# Seconds until everything answers again when all is mended.
_MENDED: Final = 240
_PROGRESS: Final = 10


def race(plan: Plan) -> Report:
    """Carry out a plan; everything that it starts is ended."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix='mogan-rig-'))
    # The servers run as somebody else.
    directory.chmod(0o711)
    report = None
    try:
        with contextlib.ExitStack() as stack:
            # What is on the way ends after all that may be on it.
            late = stack.enter_context(contextlib.ExitStack())
            run = _Run(plan, stack.enter_context(_family(directory)),
                       directory)
            late.callback(run.close)
            report = run.run()
    finally:
        if report is not None and report.right and not plan.keep:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            print(f'  logs and histories: {directory}', flush=True)
    return report


@contextlib.contextmanager
def _family(directory: pathlib.Path) -> Iterator[Family]:
    logs = directory / 'logs'
    logs.mkdir()
    family = Family(logs)
    try:
        yield family
    finally:
        family.close()


class _Run:
    def __init__(self, plan: Plan, family: Family,
                 directory: pathlib.Path) -> None:
        self._plan = plan
        self._directory = directory
        self._way = TOPOLOGIES[plan.topology](plan.database, family,
                                              directory)
        self._broker = Broker(family, directory)
        self._all = Deployment(family, directory, self._way, self._broker,
                               plan.variant)
        self._record = History()
        self._stuck: list[str] = []
        self._mistaken: list[str] = []
        self._schedule = Schedule(directory / 'schedule.log')

    def run(self) -> Report:
        """Run the whole plan."""
        self._prepare()
        tail = Tail(self._all.inventory_path, 'spare')
        supervisor = Supervisor(self._all)
        load = Load(self._plan.seed, [api.port for api in self._all.apis],
                    make_flavor(self._all.apis[0].port), self._record,
                    self._plan.clients)
        began = time.monotonic()
        try:
            tail.start()
            supervisor.start()
            self._race(load, tail)
            seconds = time.monotonic() - began
            settled = self._settle(load)
        finally:
            supervisor.stop()
        entries = [entry for entry in tail.close()
                   if not strange.is_strange(entry.instance)]
        operations = self._record.all()
        history.save(self._directory / 'history.jsonl', operations)
        history.save(self._directory / 'journal.jsonl', entries)
        left, off_record = operations, []
        if self._plan.variant is OURS:
            left, off_record = records.compare(self._all.apis[0].port,
                                               operations)
        left = without_stale(left, self._way.splits)
        return Report(
            self._plan, self._directory, judge(left, entries), seconds,
            len(operations), _unknown(operations), _unknown(left),
            self._schedule.counts, supervisor.exits, self._stuck, settled,
            off_record, self._mistaken)

    def close(self) -> None:
        """When its processes have ended."""
        self._way.close()

    def _race(self, load: Load, tail: Tail) -> None:
        """Run the clients and the faults, until everything is repaired
        again."""
        hardware = Hardware(self._all)
        lanes = self._lanes({
            'services': Services(self._all).faults,
            'pauses': Pauses(self._all, tail, load.people).faults,
            'hardware': hardware.faults, 'rows': self._rows.faults,
            **self._way.lanes(self._all, load.people)})
        try:
            for part in (load, *lanes):
                part.start()
            self._wait(load, lanes)
        finally:
            self._calm(load, lanes)
            hardware.mend()

    def _prepare(self) -> None:
        """Start everything; the slow parts at the same time."""
        with futures.ThreadPoolExecutor(1) as pool:
            broker = pool.submit(self._start_broker)
            self._way.start()
            self._all.prepare(NODES)
            broker.result()
        self._rows = RowFaults(self._all)
        self._all.start()

    def _start_broker(self) -> None:
        self._broker.start()
        self._broker.wait()

    def _lanes(self, faults: Mapping[str, Mapping[str, Fault]]) -> list[Lane]:
        assert {name for lane in faults.values()
                for name in lane} == self._way.faults
        wanted = {lane: chosen(its_own, self._plan.faults)
                  for lane, its_own in faults.items()}
        return [Lane(name, self._plan.seed, its_own, GAPS[name],
                     self._schedule)
                for name, its_own in wanted.items() if its_own]

    def _wait(self, load: Load, lanes: list[Lane]) -> None:
        """Until the time is over, or the number of operations reached."""
        began = time.monotonic()
        reported = began
        while True:
            now = time.monotonic()
            load.check()
            if any(lane.failure is not None for lane in lanes):
                return
            if self._plan.operations is None:
                if now - began >= self._plan.seconds:
                    return
            elif len(self._record) >= self._plan.operations:
                return
            if now - reported >= _PROGRESS and sys.stdout.isatty():
                reported = now
                print(f'  {now - began:.0f} s: {len(self._record)} requests',
                      flush=True)
            time.sleep(0.1)

    def _calm(self, load: Load, lanes: list[Lane]) -> None:
        """Break nothing more, mend what is broken, and end the clients."""
        for lane in lanes:
            lane.stop()
        for lane in lanes:
            try:
                if not lane.join(_MENDED):
                    self._stuck.append('a lane does not end')
            except Stuck as error:
                self._stuck.append(str(error))
        load.stop()

    def _settle(self, load: Load) -> settle.Settled:
        """Wait for the end of all work, and look at every instance."""
        for service in self._all.services:
            try:
                processes.eventually(service.answers, _MENDED, service.name)
            except processes.SetupError as error:
                self._stuck.append(str(error))
        port = self._all.apis[0].port
        # Nothing that both got can ever be done.
        within = settle.WITHIN if self._plan.variant is OURS else 2
        result = settle.settle(self._all, port, within)
        # All others have come to rest beside them.
        self._mistaken = self._rows.judge(port)
        self._rows.remove()
        self._last_looks(load, port)
        return result

    def _last_looks(self, load: Load, port: int) -> None:
        """Check that what was acknowledged is seen in the end as well."""
        load.count(port)
        rows = {row['uuid'] for row in instances(port) or ()}
        with wire.administrator(port) as connection:
            for uuid in sorted(load.people.known() | rows):
                operation, _ = connection.ask(wire.read(uuid))
                self._record.add(operation)


def _unknown(operations: Iterable[Operation]) -> int:
    return sum(one.answer == history.UNKNOWN for one in operations)
