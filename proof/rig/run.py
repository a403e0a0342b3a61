# SPDX-License-Identifier: Apache-2.0
"""One run, from the first process to the verdict."""

import collections
import contextlib
import dataclasses
import pathlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent import futures
from typing import Final

from proof.rig import history, processes, records, settle, wire
from proof.rig.history import History, Operation
from proof.rig.load import NODES, Load, instances
from proof.rig.nemesis.hardware import Hardware
from proof.rig.nemesis.lanes import GAPS, Blow, Lane, Schedule, chosen
from proof.rig.nemesis.pauses import Pauses
from proof.rig.nemesis.servers import Servers
from proof.rig.nemesis.services import Services, Stuck
from proof.rig.processes import Family
from proof.rig.servers import DATABASES, Broker
from proof.rig.services import (
    ADMIN,
    OURS,
    Deployment,
    Supervisor,
    Variant,
    make_flavor,
)
from proof.rig.tail import Tail
from proof.rig.verdict import Verdict, judge
from proof.rig.wire import Connection

BLOWS: Final = frozenset({
    'kill-api', 'kill-engine', 'kill-api-launcher', 'kill-engine-launcher',
    'kill-all-engines', 'pause-api', 'pause-engine', 'pause-engine-at-call',
    'rolling-restart', 'broker-restart', 'broker-kill', 'broker-pause',
    'database-drop', 'database-restart', 'database-kill',
    'database-kill-session', 'database-pause', 'hardware-fail',
    'hardware-unavailable', 'hardware-busy', 'hardware-timeout',
    'hardware-lost', 'hardware-hang', 'hardware-break', 'hardware-away',
    'outsider'})
# Seconds until everything answers again when all is mended.
_MENDED: Final = 90
_SHOWN: Final = 5
_PROGRESS: Final = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do; `blows` None for all."""

    database: str
    seed: int
    variant: Variant
    seconds: float | None
    operations: int | None
    blows: list[str] | None
    keep: bool
    clients: int

    def words(self) -> str:
        """The plan in a line."""
        length = (f'{self.operations} operations' if self.operations
                  else f'{self.seconds:g} seconds')
        faults = ('all faults' if self.blows is None
                  else ', '.join(self.blows) or 'no faults')
        return (f'{self.variant.name} on {self.database}, {length}, '
                f'{faults}, seed {self.seed}')


@dataclasses.dataclass(slots=True)
class Report:
    """What came of it."""

    plan: Plan
    directory: pathlib.Path
    verdict: Verdict
    seconds: float
    requests: int
    unknown: int
    open: int
    blows: collections.Counter[str]
    exits: list[str]
    stuck: list[str]
    settled: settle.Settled
    off_record: list[str]

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.verdict.violations or self.settled.left
                    or self.off_record or self.stuck)

    def __str__(self) -> str:
        verdict = self.verdict
        faults = ', '.join(f'{name} {count}' for name, count
                           in sorted(self.blows.items()))
        text = f"""\
  {self.requests} requests in {self.seconds:.0f} s about \
{verdict.instances} instances; {self.unknown} with unknown outcome, of which \
{self.open} may have been accepted
  {verdict.locks} locks acknowledged, {verdict.refusals} requests refused \
because of one
  {verdict.pairs} times a lock and a delete or rebuild met; one of the two \
was acknowledged {verdict.contested} times, both {verdict.both} times
  {verdict.effects} calls took effect on the hardware
  {sum(self.blows.values())} faults: {faults or 'none'}
  {len(self.exits)} services ended by themselves {self.exits[:_SHOWN]}
  settled {self.settled.seconds:.1f} s after all was mended\
{f", the last: {self.settled.last[0]}" if self.settled.last else ""}
  acknowledged locks broken: {verdict.broken}
  violations: {len(verdict.violations)}
  not on record: {len(self.off_record)}
  unsettled: {len(self.settled.left)}, stuck: {len(self.stuck)}"""
        lines = [text]
        for found in (verdict.violations, self.off_record,
                      self.settled.left, self.stuck):
            lines += found[:_SHOWN]
        return '\n'.join(lines)


def race(plan: Plan) -> Report:
    """Carry out a plan; everything that it starts is ended."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix='mogan-rig-'))
    # The servers run as somebody else.
    directory.chmod(0o711)
    report = None
    try:
        with _family(directory) as family:
            report = _Run(plan, family, directory).run()
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
        self._database = DATABASES[plan.database](family, directory)
        self._broker = Broker(family, directory)
        self._all = Deployment(family, directory, self._database,
                               self._broker, plan.variant)
        self._record = History()
        self._stuck: list[str] = []
        self._schedule = Schedule(directory / 'schedule.log')

    def run(self) -> Report:
        """All of it."""
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
        entries = tail.close()
        operations = self._record.all()
        history.save(self._directory / 'history.jsonl', operations)
        history.save(self._directory / 'journal.jsonl', entries)
        left, off_record = operations, []
        if self._plan.variant is OURS:
            left, off_record = records.compare(self._all.apis[0].port,
                                               operations)
        return Report(
            self._plan, self._directory, judge(left, entries), seconds,
            len(operations), _unknown(operations), _unknown(left),
            self._schedule.counts, supervisor.exits, self._stuck, settled,
            off_record)

    def _race(self, load: Load, tail: Tail) -> None:
        """The clients and all that goes wrong, until everything is mended
        again."""
        hardware = Hardware(self._all)
        lanes = self._lanes(
            services=Services(self._all).blows,
            pauses=Pauses(self._all, tail, load.people).blows,
            servers=Servers(self._all).blows, hardware=hardware.blows)
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
            self._database.prepare()
            self._database.start()
            self._database.wait()
            self._database.furnish()
            self._all.furnish(NODES)
            broker.result()
        self._all.start()

    def _start_broker(self) -> None:
        self._broker.start()
        self._broker.wait()

    def _lanes(self, **blows: Mapping[str, Blow]) -> list[Lane]:
        assert {name for lane in blows.values() for name in lane} == BLOWS
        wanted = {lane: chosen(its_own, self._plan.blows)
                  for lane, its_own in blows.items()}
        return [Lane(name, self._plan.seed, its_own, GAPS[name],
                     self._schedule)
                for name, its_own in wanted.items() if its_own]

    def _wait(self, load: Load, lanes: list[Lane]) -> None:
        """Until the time is over, or the number of operations reached."""
        began = time.monotonic()
        told = began
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
            if now - told >= _PROGRESS and sys.stdout.isatty():
                told = now
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
            except processes.RigError as error:
                self._stuck.append(str(error))
        port = self._all.apis[0].port
        # Nothing that both got can ever be done.
        within = settle.WITHIN if self._plan.variant is OURS else 2
        result = settle.settle(self._all, port, within)
        self._last_looks(load, port)
        return result

    def _last_looks(self, load: Load, port: int) -> None:
        """What is acknowledged has to be seen in the end as well."""
        load.count(port)
        connection = Connection(port, ADMIN, operator=True)
        rows = {row['uuid'] for row in instances(port) or ()}
        try:
            for uuid in sorted(load.people.known() | rows):
                operation, _ = connection.ask(wire.read(uuid))
                self._keep(operation)
        finally:
            connection.close()

    def _keep(self, operation: Operation) -> None:
        self._record.add(operation)


def _unknown(operations: Iterable[Operation]) -> int:
    return sum(one.answer == history.UNKNOWN for one in operations)
