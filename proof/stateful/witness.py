# SPDX-License-Identifier: Apache-2.0
"""Keeps what was answered, and compares all else with it after each
step."""

import dataclasses
from typing import Any, Final

from mogan import states
from mogan.baremetal.protection import Protection
from mogan.db import instances
from mogan.tests.support.client import Answer
from proof import spec
from proof.spec import Kind
from proof.stateful import history, requests, views
from proof.stateful.hardware import THEIRS
from proof.stateful.requests import Request
from proof.stateful.world import Row, World

# What an engine may write without a request.
_ENGINES: Final = frozenset({
    'status', 'status_action', 'lock_state', 'lock_action', 'locked',
    'locked_at', 'locked_by', 'locked_reason', 'fault', 'lock_fault',
    'node_uuid', 'node_protection', 'power_state', 'image_uuid', 'fence',
    'claim_by', 'claim_seq', 'claim_until', 'updated_at', 'launched_at',
    'deleted_at', 'deleted'})
_RECORDED: Final = frozenset({Kind.WORK, Kind.DONE, Kind.LOCKED})
_UNKNOWN: Final = 503
_OF_THE_LOCK: Final = frozenset({'locked_at', 'locked_by', 'locked_reason'})
# Who looks after each change, and who now and then.
_READERS: Final = ('admin', 'demo', 'other')
_OTHERS: Final = ('reader', 'nobody', None)
# An instance that did not change is looked at every so many steps.
_AGAIN: Final = 7


@dataclasses.dataclass
class Known:
    """One instance, as far as the answers tell; `held`: a lock has been
    acknowledged, and no unlock after it; `checked`: the row that was
    compared with all that is said of it."""

    row: Row
    checked: Row | None = None
    held: bool = False
    records: list[history.Record] = dataclasses.field(default_factory=list)


class Witness:
    """The memory of one example."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.known: dict[str, Known] = {}
        self._turns = 0

    @property
    def alive(self) -> list[str]:
        """Return the instances that are not gone, oldest first."""
        return [uuid for uuid, known in self.known.items()
                if not known.row['deleted_at']]

    def created(self, user: str | None, answer: Answer) -> None:
        """Record that an instance was created."""
        new = [row for uuid, row in self._world.rows().items()
               if uuid not in self.known]
        if answer.status == _UNKNOWN:
            assert len(new) <= 1, (answer, new)
        else:
            status = requests.deny(user, 'create') or 201
            assert status == answer.status, (status, answer)
            assert [row['uuid'] for row in new] == (
                [answer.json['uuid']] if user and 'uuid' in answer.json
                else []), (answer, new)
        now = self._world.clock.now
        for row in new:
            assert (row['status'], row['lock_state'], row['created_at'],
                    row['user_id'], row['project_id']) == (
                        'building', 'unlocked', now, user,
                        requests.project(str(user))), row
            self.known[row['uuid']] = Known(row, records=[
                self._acknowledged(Kind.WORK, 'create', user, answer)])

    def answered(self, request: Request, user: str | None, uuid: str,
                 answer: Answer, nudges: list[str]) -> None:
        """Check the answer, the row and the messages after a request for an
        instance."""
        known = self.known[uuid]
        before = known.row
        verdict, expected, after = self._judge(request, user, uuid)
        self._world.counts[f'{request.word}: {answer.status}'] += 1
        assert verdict.status == answer.status, (verdict, answer, before)
        assert expected == after, ('expected', expected, 'found', after)
        assert nudges == ([uuid] if verdict.kind is Kind.WORK
                          else []), nudges
        if verdict.kind is Kind.LOCKED:
            self._check_refusal(before, user, answer)
        if verdict.kind in _RECORDED:
            self._accept(known, verdict.kind, request, user, answer, after)

    def unanswered(self, request: Request, user: str | None, uuid: str,
                   answer: Answer) -> None:
        """Check that a request with a failed commit did all or nothing."""
        known = self.known[uuid]
        verdict, expected, after = self._judge(request, user, uuid)
        self._world.counts['asked, and not known'] += 1
        assert answer.status == _UNKNOWN, answer
        assert answer.headers['retry-after'], answer
        done = any(action['request_id']
                   == answer.headers['x-openstack-request-id']
                   for action in self._world.actions(uuid))
        assert after == (expected if done else known.row), (done, after)
        if done:
            assert verdict.kind in _RECORDED, verdict
            self._accept(known, verdict.kind, request, user, answer, after)

    def _judge(self, request: Request, user: str | None, uuid: str,
               ) -> tuple[requests.Verdict, Row, Row]:
        """Return what the request should get, and make of the row; and the
        row."""
        before = self.known[uuid].row
        verdict = requests.judge(request, user, None if before['deleted_at']
                             else before, self._world.clock.now)
        after = self._world.row(uuid)
        assert after is not None, before
        expected = before | verdict.changes
        for name, value in verdict.changes.items():
            if value == requests.NEW:
                expected[name] = self._world.actions(uuid)[-1]['uuid']
        return verdict, expected, after

    def _acknowledged(self, kind: Kind, verb: str, user: str | None,
                      answer: Answer, arguments: Row | None = None,
                      ) -> history.Record:
        return history.Record(
            kind, verb, str(user), requests.project(str(user)),
            answer.headers['x-openstack-request-id'], arguments or {},
            self._world.clock.now)

    def _accept(self, known: Known, kind: Kind, request: Request,
                user: str | None, answer: Answer, after: Row) -> None:
        record = self._acknowledged(
            kind, request.verb, user, answer,
            None if kind is Kind.LOCKED else request.arguments(known.row))
        record.locked_at = after['locked_at']
        known.row = after
        if kind is Kind.WORK and request.word in {'lock', 'unlock'}:
            known.held = request.word == 'lock'
        for earlier in known.records:
            if earlier.alike(record):
                earlier.times += 1
                earlier.request_id = record.request_id
                return
        known.records.append(record)

    @staticmethod
    def _check_refusal(row: Row, user: str | None, answer: Answer) -> None:
        lock = answer.json['error']['lock']
        assert lock['since'] == views.shown(row['locked_at']), lock
        assert lock['reason'] == row['locked_reason'], lock
        assert lock.get('by') == (
            row['locked_by'] if requests.is_admin(user) else None), lock

    def forget(self, uuid: str) -> None:
        """Record that an instance was purged."""
        del self.known[uuid]

    def check(self) -> None:
        """Everything that has to be true at any time."""
        world = self._world
        assert not world.watch.violations, world.watch.violations
        assert not world.errors.found, world.errors.found
        rows = world.rows()
        assert list(rows) == list(self.known), (rows, self.known)
        self._turns += 1
        for number, row in enumerate(rows.values(), self._turns):
            known = self.known[row['uuid']]
            _check_step(known.row, row)
            known.row = row
            if row != known.checked or number % _AGAIN == 0:
                self._check_instance(known, number)
                known.checked = row
        user = ('admin', 'demo')[self._turns % 2]
        views.check_list(world, user, list(rows.values()), locked=(
            None, True, False)[self._turns % 3])

    def _check_instance(self, known: Known, number: int) -> None:
        world, row = self._world, known.row
        actions = world.actions(row['uuid'])
        history.compare(known.records, actions)
        history.agree(history.replay(actions), row)
        assert known.held == (row['lock_state'] in spec.HELD)
        assert (row['lock_state'] == 'unlocked'
                or row['status'] not in spec.DESTROYING), row
        self._check_node(row)
        for user in (*_READERS, _OTHERS[number % len(_OTHERS)]):
            views.check_one(world, user, row)
        for user in ('admin', ('demo', *_OTHERS)[number % 4]):
            views.check_states(world, user, row)
            views.check_history(world, user, row, actions)
        self._check_guard(row)

    def _check_node(self, row: Row) -> None:
        """No lock over a rebuild that is still under way."""
        if row['lock_state'] != 'unlocked':
            node = self._world.hardware.find(row['uuid'])
            assert not (node and node.availability == 'rebuilding'), (
                row, node)

    def _check_guard(self, row: Row) -> None:
        """Try to delete the instance as it is, and roll back."""
        if row['deleted_at']:
            return
        free = row['lock_state'] == 'unlocked'
        with self._world.db.engine.connect() as connection:
            for arrow in states.ARROWS[states.Verb.DELETE]:
                change = instances._transition(  # noqa: SLF001 - itself
                    arrow, operating=False)
                changed = change.execute(connection, {
                    'key': row['uuid'], 'action': 'none'})
                assert changed == (free and row['status'] in arrow.sources)
                connection.rollback()


def _check_step(before: Row, after: Row) -> None:
    """Check what an engine has made of a row."""
    if after == before:
        return
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= _ENGINES, (changed, before, after)
    for name in {'status', 'lock_state'} & changed:
        assert after[name] in spec.ENDS.get(before[name], ()), (
            name, before, after)
    if changed & _OF_THE_LOCK:
        assert (before['lock_state'], after['lock_state']) == (
            'unlocking', 'unlocked'), (before, after)
    if after['deleted_at']:
        assert before['status'] == 'deleting', (before, after)
    if 'image_uuid' in changed:
        assert before['status'] == 'rebuilding', (before, after)
    for name in ('fence', 'claim_seq'):
        assert after[name] >= before[name], (name, before, after)


def unsettled(world: World) -> list[Any]:
    """Return what is still to be done, or not as it should be in the end."""
    found: list[Any] = []
    rows = world.rows()
    nodes = {node.instance_uuid: node for node in world.hardware.nodes()
             if node.instance_uuid}
    for uuid, row in rows.items():
        if row['deleted_at']:
            continue
        node = nodes.pop(uuid, None)
        if row['status_action'] or row['lock_action']:
            found.append(('unfinished', row, world.actions(uuid)))
        elif node is None or node.availability != 'active':
            if row['status'] != 'error':
                found.append(('without a node', row, node))
        else:
            found += _mismatches(world, row, node)
    return found + list(nodes.items())


def _mismatches(world: World, row: Row, node: Any) -> list[Any]:
    """Return what a settled instance's node, which is active, has
    otherwise."""
    expected = {'protected': False, 'protected_reason': None,
                'node_protection': 'none'}
    if row['lock_state'] == 'locked':
        expected = {'protected': True, 'node_protection': 'applied',
                    'protected_reason': Protection(
                        row['uuid'], row['locked_reason']).text}
    if node.protected_reason == THEIRS:
        expected = {'protected': True, 'node_protection': 'foreign',
                    'protected_reason': THEIRS}
    seen = {'protected': node.protected,
            'protected_reason': node.protected_reason,
            'node_protection': row['node_protection']}
    if row['status'] != 'error':
        expected['image'] = row['image_uuid']
        seen['image'] = world.image(node.uuid)
        expected['power'] = {'active': 'power on',
                             'stopped': 'power off'}[row['status']]
        seen['power'] = node.power_state
    else:
        expected['failed'] = True
        seen['failed'] = row['fault']['cause'] in {'create', 'rebuild'}
    expected['power state'] = node.power_state
    seen['power state'] = row['power_state']
    return [] if expected == seen else [(row['uuid'], expected, seen)]
