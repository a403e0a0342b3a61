# SPDX-License-Identifier: Apache-2.0
"""Every request, in every state, by everybody: the table answers.yaml."""

import pathlib
from typing import Any

import oslo_db.exception
import sqlalchemy.exc
import yaml

from mogan import states
from mogan.tests.functional import base, conformity

_TABLE = pathlib.Path(__file__).with_name('answers.yaml')
_POWER = {'on': 'powering-on', 'off': 'powering-off',
          'soft_off': 'soft-powering-off', 'reboot': 'rebooting',
          'soft_reboot': 'soft-rebooting'}
# Where an accepted request brings its column.
_TARGETS = {'lock': ('lock_state', 'locking'),
            'unlock': ('lock_state', 'unlocking'),
            'delete': ('status', 'deleting'),
            'rebuild': ('status', 'rebuilding')} | {
    name: ('status', target) for name, target in _POWER.items()}
# What tells that a row has been written.
_CHANGING = ('status', 'lock_state', 'fence', 'revision', 'locked_at',
             'locked_by', 'locked_reason', 'status_action', 'lock_action',
             'updated_at', 'name')


def _cases() -> list[dict[str, Any]]:
    return yaml.safe_load(_TABLE.read_text())


class TestAnswers(conformity.Conforming, base.FunctionalTest):
    """No engine runs: what a request has written stays as it is."""

    engines = 0

    def _send(self, user: str, request: str, uuid: str) -> Any:
        client = self.deployment.client(user)
        path = f'/v1/instances/{uuid}'
        match request:
            case 'look':
                return client.get(path)
            case 'delete':
                return client.delete(path)
            case 'describe':
                return client.patch(path, [
                    {'op': 'replace', 'path': '/name', 'value': 'db'}])
            case 'lock' | 'unlock':
                return client.put(f'{path}/states/{request}',
                                  {request: None})
            case 'rebuild':
                return client.rebuild(uuid, base.OTHER_IMAGE)
            case _:
                return client.power(uuid, request)

    def _try(self, case: dict[str, Any], user: str, status: str,
             lock_state: str, expected: str) -> None:
        row = {'node_uuid': None} if case.get('node') == 'none' else {}
        uuid = self.put_row(status, lock_state, locked_reason=(
            None if lock_state == 'unlocked' else 'disk swap'), **row)
        before = self.row(uuid)
        answer = self._send(user, case['request'], uuid)
        where = (f'{case["request"]} as {user} in {status}, {lock_state}: '
                 f'{answer.status} {answer.body!r}')
        self.assertEqual(int(expected[:3]), answer.status, where)
        self._check(case['request'], user, uuid, before, expected, answer,
                    where)

    def _check(self, request: str, user: str, uuid: str,
               before: dict[str, Any], expected: str, answer: Any,
               where: str) -> None:
        after = self.row(uuid)
        changed = {name for name in _CHANGING
                   if before[name] != after[name]}
        history = self.history(uuid)
        if answer.status == 409 or expected.endswith('='):
            self.assertEqual(set(), changed, where)
        if expected.endswith(('L', 'W')):
            self._check_lesson(user, uuid, before, answer)
            self.assertEqual(['refused'],
                             [entry['outcome'] for entry in history], where)
            return
        if answer.status == 409:
            self.assertIn(f'status {before["status"]}', answer.message)
            self.assertNotIn('lock', answer.json['error'])
        if expected.endswith('N'):
            self.assertIn('no node', answer.message)
        if answer.status == 409 or expected.endswith('='):
            self.assertEqual([], history, where)
            return
        self.assertEqual(1, len(history), where)
        self.assertEqual(user, history[0]['user_id'])
        if request != 'describe':
            column, target = _TARGETS[request]
            self.assertEqual(target, after[column], where)
            self.assertEqual(before['fence'] + 1, after['fence'], where)
            self.assertIsNone(history[0]['outcome'])

    def _check_lesson(self, user: str, uuid: str, row: dict[str, Any],
                      answer: Any) -> None:
        """Check that a refusal because of a lock has all information."""
        lock = answer.json['error']['lock']
        self.assertEqual(row['lock_state'], lock['state'])
        ending = row['lock_state'] == 'unlocking'
        self.assertEqual('1' if ending else None,
                         answer.headers.get('retry-after'))
        self.assertEqual(ending, 'wait' in answer.message)
        self.assertEqual(ending, 'releases' not in answer.message)
        self.assertEqual(f'{row["locked_at"].isoformat()}Z', lock['since'])
        self.assertEqual('disk swap', lock['reason'])
        self.assertEqual(f'PUT /v1/instances/{uuid}/states/unlock',
                         lock['release'])
        self.assertEqual('admin' if user == 'admin' else None,
                         lock.get('by'))
        for word in ('locked', lock['since'], 'disk swap', 'unlock'):
            self.assertIn(word, answer.message)


def _add(number: int, case: dict[str, Any]) -> None:
    def test(self: TestAnswers) -> None:
        for status, answers in case['answers'].items():
            expected = answers.split()
            lock_states = (list(states.LockState) if len(expected) > 1
                           else ['unlocked'])
            for lock_state, answer in zip(lock_states, expected,
                                          strict=True):
                for user in case['as']:
                    self._try(case, user, status, str(lock_state), answer)

    node = '_without_a_node' if case.get('node') else ''
    name = (f'test_{number:02}_{case["request"]}{node}_by_'
            f'{"_or_".join(case["as"])}')
    test.__name__ = name
    setattr(TestAnswers, name, test)


for _number, _case in enumerate(_cases(), 1):
    _add(_number, _case)


class TestTheTable(base.FunctionalTest):

    engines = 0

    def test_every_request_has_an_answer_in_every_state(self):
        for case in _cases():
            if not case.get('node'):
                self.assertEqual(set(states.Status), set(case['answers']),
                                 case['request'])
            for status, answers in case['answers'].items():
                self.assertEqual(4 if status in states.LOCKABLE else 1,
                                 len(answers.split()), (case, status))

    def test_the_database_refuses_a_lock_where_data_is_destroyed(self):
        for status in states.EVERY_STATUS - states.LOCKABLE:
            for lock_state in set(states.LockState) - {'unlocked'}:
                # oslo.db does not know MariaDB's error for it.
                with self.assertRaisesRegex(
                        (oslo_db.exception.DBError,
                         sqlalchemy.exc.OperationalError),
                        'locked_is_not_destroyed'):
                    self.put_row(status, lock_state)
