# SPDX-License-Identifier: Apache-2.0
"""The rules: what users, engines, hardware, outsiders and time may do
next."""

import http
import sys
from typing import Any, ClassVar, Final

from hypothesis import note, stateful
from hypothesis import strategies as st

from mogan.baremetal.simulated import faults
from mogan.db import claims, purge
from proof.stateful import requests
from proof.stateful.actions import IMAGES, Action, Scene
from proof.stateful.requests import Request
from proof.stateful.witness import Witness, unsettled
from proof.stateful.world import ENGINES, World

MOST: Final = 3         # instances at a time: one more than there are nodes
_SETTLES_WITHIN: Final = 120    # seconds of the run's clock
_DAY: Final = 86_400
_PURGED_AFTER: Final = 30       # seconds of the run's clock
_MAINTENANCE: Final = {'keep from new ones': True, 'let them': False}
_DISTURBANCES: Final[dict[str, dict[str, Any]]] = {
    'break': {'availability': 'failed', 'last_error': 'broken'},
    'mend': {'availability': 'active', 'last_error': None},
    'take away': {
        'availability': 'available', 'power_state': 'power off',
        'instance_uuid': None, 'image_uuid': None, 'protected': False,
        'protected_reason': None}}


class Machine(stateful.RuleBasedStateMachine):
    """One example."""

    world: ClassVar[World]
    played: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        Machine.played += 1
        self.world.reset()
        self.witness = Witness(self.world)
        self._calm = True

    @stateful.initialize(calm=st.sampled_from([True, False, False, False]),
                         works=st.booleans())
    def begin(self, calm: bool, works: bool) -> None:
        """Most has to do with an instance."""
        self._calm = calm
        self.create('demo')
        if works:
            self.work(3)
        self.witness.check()

    @stateful.rule(action=st.runner().flatmap(
        lambda self: self.scene().actions()))
    def step(self, action: Action) -> None:
        """Run one step."""
        name, *arguments = action
        self.world.counts[f'step: {name}'] += 1
        getattr(self, name)(*arguments)
        self.witness.check()

    def scene(self) -> Scene:
        """Return what there is to go on with."""
        return Scene(
            [known.row for known in self.witness.known.values()],
            self.world.clock.now, len(self.witness.alive) < MOST,
            bool(self.world.nudges.sent), bool(self._stopped()), self._calm)

    def ask(self, user: str | None, number: int, request: Request) -> None:
        """Send a user's request for an instance."""
        self._send(user, list(self.witness.known)[number], request)

    def create(self, user: str | None) -> None:
        """Send a user's request for a new instance."""
        answer = self.world.clients[user].post('/v1/instances', {
            'name': 'web', 'flavor_uuid': self.world.flavor,
            'image_uuid': IMAGES[0]})
        note(f'# {answer.status}')
        self.witness.created(user, answer)

    def wait(self, seconds: float) -> None:
        """Shorter and longer than polls, leases and time limits."""
        self.world.clock.advance(seconds)

    def work(self, seconds: int) -> None:
        """Everything goes its way for a while."""
        for _ in range(seconds):
            for engine in self.world.engines:
                engine.sweep()
            self.world.clock.advance(1)

    def deliver(self, engine: int, number: int, stop: int | None,
                again: bool) -> None:
        """Messages come in any order, twice, late or never."""
        sent = self.world.nudges.sent
        uuid = sent[-1 - number % len(sent)]
        if not again:
            sent.remove(uuid)
        self.world.engines[engine].nudge(uuid, stop)

    def sweep(self, engine: int, stop: int | None) -> None:
        """Let an engine poll for work."""
        self.world.engines[engine].sweep(stop)

    def wake(self, number: int, stop: int | None) -> None:
        """Let what has stopped go on, to its end or to another stop."""
        stopped = self._stopped()
        engine, visit = stopped[number % len(stopped)]
        self.world.engines[engine].wake(visit, stop)

    def lose(self, number: int, what: str) -> None:
        """Lose an engine with its memory, messages in flight, or an engine
        that has just acquired a claim."""
        if what == 'engine':
            engine = self.world.engines[number % ENGINES]
            self.world.counts['work died at a call'] += len(engine.visits)
            engine.crash()
        elif what == 'messages':
            self.world.nudges.sent.clear()
        else:
            with self.world.commits.spared():
                for uuid in self.witness.alive[number:][:1]:
                    claims.take(self.world.db, uuid, 'a dead engine', 6.0)

    def fail(self, fault: str | None, times: int | None) -> None:
        """Let the hardware fail, or repair it."""
        if fault is None:
            self.world.hardware.clear_faults()
        else:
            call, mode = fault.split()
            self.world.hardware.add_fault(
                faults.Fault(faults.Mode(mode), call, times=times))

    def strike(self, behind: int, made: bool) -> None:
        """Let one of the next commits fail, whoever makes it."""
        self.world.commits.strike(behind, made=made)

    def outsider(self, number: int, what: str) -> None:
        """Somebody who does not ask the service."""
        node = self._node(number)
        idle = node.instance_uuid and not node.busy
        if what == 'unprotect':
            self.world.watch.let_go(node.uuid)
        elif what == 'protect' and node.availability == 'active':
            self.world.watch.hold(node.uuid)
        elif what in _MAINTENANCE:
            self.world.hardware.set_maintenance(
                node.uuid, maintenance=_MAINTENANCE[what])
        elif what in _DISTURBANCES and idle and (
                node.availability != 'available'):
            if what == 'take away':
                self.world.watch.let_go(node.uuid)
            with self.world.hardware.transaction() as txn:
                txn.change(node.uuid, **_DISTURBANCES[what])

    def purge(self) -> None:
        """Purge what has been gone for long, and nothing else."""
        old = [uuid for uuid, known in self.witness.known.items()
               if known.row['deleted_at'] and (
                   self.world.clock.now - known.row['deleted_at']
               ).total_seconds() > _PURGED_AFTER]
        with self.world.commits.spared():
            removed = purge.deleted_instances(
                self.world.db, _PURGED_AFTER / _DAY, 100)
        assert bool(removed) == bool(old), (removed, old)
        for uuid in old:
            self.witness.forget(uuid)
            seen = self.world.clients['admin'].get(
                f'/v1/instances/{uuid}/actions')
            assert seen.status == http.HTTPStatus.NOT_FOUND, seen

    def teardown(self) -> None:
        """In the end everything settles, and everything can be removed."""
        try:
            if sys.exc_info()[0] is None:
                self._settle()
                self._remove()
        finally:
            self.world.crash()

    def _send(self, user: str | None, uuid: str, request: Request) -> None:
        client, path = self.world.clients[user], f'/v1/instances/{uuid}'
        sent, struck = len(self.world.nudges.sent), self.world.commits.struck
        match request.word:
            case 'lock':
                answer = client.put(f'{path}/states/lock', {
                    'lock': request.value and {'reason': request.value}})
            case 'unlock':
                answer = client.put(f'{path}/states/unlock',
                                    {'unlock': None})
            case 'delete':
                answer = client.delete(path)
            case 'power':
                answer = client.put(f'{path}/states/power',
                                    {'target': request.value})
            case 'rebuild':
                answer = client.put(f'{path}/states/provision', {
                    'target': 'rebuild', 'image_uuid': request.value})
            case _:
                answer = client.patch(path, [
                    {'op': 'replace', 'path': f'/{name}', 'value': value}
                    for name, value in request.value.items()])
        note(f'# {answer.status}')
        if self.world.commits.struck > struck:
            self.witness.unanswered(request, user, uuid, answer)
        else:
            self.witness.answered(request, user, uuid, answer,
                                  self.world.nudges.sent[sent:])

    def _stopped(self) -> list[tuple[int, int]]:
        return [(number, visit)
                for number, engine in enumerate(self.world.engines)
                for visit in range(len(engine.visits))]

    def _node(self, number: int) -> Any:
        nodes = self.world.hardware.nodes()
        return sorted(nodes, key=lambda node: node.name)[
            number % len(nodes)]

    def _settle(self) -> None:
        self.world.heal()
        for _ in range(_SETTLES_WITHIN // 2):
            self.work(2)
            self.witness.check()
            left = unsettled(self.world)
            if not left:
                return
        raise AssertionError(f'not settled in {_SETTLES_WITHIN} s: {left}')

    def _remove(self) -> None:
        self.world.free(self.world.hardware.nodes())
        for uuid in self.witness.alive:
            self._send('admin', uuid, Request('unlock'))
        self._settle()
        for uuid in self.witness.alive:
            self._send('demo' if requests.sees('demo', self.world.row(uuid))
                       else 'admin', uuid, Request('delete'))
        self._settle()
        assert not self.witness.alive, self.world.rows()
