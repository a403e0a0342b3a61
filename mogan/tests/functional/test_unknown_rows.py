# SPDX-License-Identifier: Apache-2.0
"""A row that this release does not understand is shown and left alone, and
keeps nobody from the others."""

import itertools

import fixtures
import sqlalchemy as sa

from mogan.db import actions, domains, models, outbox
from mogan.metrics import rows
from mogan.tests.functional import base, unknown_rows
from mogan.tests.support.processes import eventually

STRANGE = {'status': 'archived', 'lock_state': 'sealed',
           'node_protection': 'certified'}
BROKEN = '{"rack": '


class TestRequests(unknown_rows.UnknownRowsTest):

    engines = 0

    def requests(self, uuid):
        """Yield every request that would change something."""
        path = f'/v1/instances/{uuid}'
        states = f'{path}/states'
        yield self.admin.delete(path)
        yield self.admin.put(f'{states}/lock', {'lock': None})
        yield self.admin.put(f'{states}/lock', {'lock': {'reason': 'x'}})
        yield self.admin.put(f'{states}/unlock', {'unlock': None})
        yield self.admin.put(f'{states}/provision', {
            'target': 'rebuild', 'image_uuid': base.OTHER_IMAGE})
        for target in ('on', 'off', 'reboot', 'soft_off', 'soft_reboot'):
            yield self.admin.put(f'{states}/power', {'target': target})
        yield self.admin.patch(path, [
            {'op': 'replace', 'path': '/name', 'value': 'db'}])
        yield self.admin.delete(f'/v1/servers/{uuid}')

    def test_they_are_refused_with_the_value(self):
        for column, value in STRANGE.items():
            uuid = self.put_row()
            self.overwrite(uuid, **{column: value})
            before = self.row(uuid)
            for answer in self.requests(uuid):
                self.expect(409, answer)
                message = answer.json['error']['message']
                self.assertIn(f'{column} "{value}"', message)
            self.assertEqual(before, self.row(uuid))

    def test_a_locked_one_is_refused_so_as_well(self):
        uuid = self.put_row(lock_state='locked')
        self.overwrite(uuid, status='archived')
        for answer in self.requests(uuid):
            self.expect(409, answer)

    def test_it_is_shown_as_it_is(self):
        for column, value in STRANGE.items():
            uuid = self.put_row()
            self.overwrite(uuid, **{column: value})
            self.assertEqual(value, self.see(uuid)[column])
            for path in ('/v1/instances/detail?all_tenants=true',
                         f'/v1/instances?all_tenants=true&fields={column}',
                         '/v1/servers/detail?all_tenants=true'):
                answer = self.expect(200, self.admin.get(path))
                [shown] = [
                    one[column] for page in answer.json.values()
                    if isinstance(page, list) for one in page
                    if one[column] == value]
                self.assertEqual(value, shown)
            self.expect(200, self.admin.get(f'/v1/instances/{uuid}/states'))
            self.expect(200, self.admin.get(f'/v1/instances/{uuid}/actions'))

    def test_what_is_no_json_is_shown_as_it_is(self):
        for column in ('metadata', 'fault', 'partitions', 'networks'):
            uuid = self.put_row()
            self.overwrite(uuid, **{column: BROKEN})
            self.assertEqual(BROKEN, self.see(uuid)[column])
            listed = self.expect(200, self.admin.get(
                '/v1/instances/detail?all_tenants=true')).json['instances']
            self.assertIn((uuid, BROKEN), [
                (one['uuid'], one[column]) for one in listed])

    def test_metadata_that_is_none_is_not_patched(self):
        for text in (BROKEN, '[]', '"text"'):
            uuid = self.put_row()
            self.overwrite(uuid, metadata=text)
            answer = self.expect(409, self.admin.patch(
                f'/v1/instances/{uuid}',
                [{'op': 'add', 'path': '/metadata/rack', 'value': '1'}]))
            self.assertIn('metadata', answer.json['error']['message'])

    def test_an_action_is_shown_as_it_is(self):
        uuid = self.put_row()
        self.ask(uuid, 'lock')
        self.overwrite_actions(uuid, verb='defrost', arguments=BROKEN,
                          outcome='melted')
        [action] = self.history(uuid)
        self.assertEqual(('defrost', 'melted'),
                         (action['action'], action['outcome']))


class TestEngine(unknown_rows.UnknownRowsTest):

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger(
            'mogan.engine.quarantine', nuke_handlers=False))
        instances = [self.make_instance() for _ in range(3)]
        # In the order in which the nodes are looked at.
        self.uuids = sorted(
            instances, key=lambda uuid: self.node_of(uuid).uuid)

    def drift(self, uuid):
        """Protect a node that is not locked, as an outsider."""
        with self.hardware.transaction() as txn:
            txn.change(self.node_of(uuid).uuid, protected=True,
                       protected_reason=f'mogan {uuid}')

    def test_those_behind_it_are_repaired(self):
        for column, value in STRANGE.items():
            first, *others = self.uuids
            self.overwrite(first, **{column: value})
            for uuid in others:
                self.drift(uuid)
            for uuid in others:
                eventually(lambda uuid=uuid:
                           not self.node_of(uuid).protected)
            self.assertEqual(value, self.row(first)[column])
            self.assertEqual(1, self.log.output.count(f'"{value}"'),
                             self.log.output)
            self.overwrite(first, status='active', lock_state='unlocked',
                       node_protection='none')

    def test_what_cannot_be_compared_keeps_nobody_from_the_others(self):
        first, *others = self.uuids
        self.overwrite(first, status='error', fault='"broken"')
        for uuid in (first, *others):
            self.drift(uuid)
        for uuid in (first, *others):
            eventually(lambda uuid=uuid:
                       not self.node_of(uuid).protected)
        self.assertLessEqual(self.log.output.count('Traceback'), 1)

    def test_the_work_on_others_goes_on(self):
        self.deployment.stop_engines()
        first, second, third = self.uuids
        for uuid in self.uuids:
            self.ask(uuid, 'lock')
        self.overwrite(first, status='archived')
        self.overwrite_actions(second, verb='defrost')
        self.deployment.start_engine()
        self.wait_for(third, lock_state='locked')
        eventually(lambda: self.log.output.count('is set aside') == 2)
        self.assertIn('"archived"', self.log.output)
        self.assertIn('"defrost"', self.log.output)
        for uuid in (first, second):
            self.assertEqual('locking', self.row(uuid)['lock_state'])
        # Put right, it is done.
        self.overwrite(first, status='active')
        self.wait_for(first, lock_state='locked')

    def test_they_take_nobody_elses_place(self):
        self.deployment.stop_engines()
        for uuid in self.uuids:
            self.ask(uuid, 'lock')
        first, second, third = self.uuids
        self.overwrite(first, lock_state='sealed')
        self.overwrite_actions(second, verb='defrost')
        [action] = actions.due(self.db, 1, 6.0)
        self.assertEqual(third, action.instance_uuid)
        self.assertEqual(
            {(first, 'lock_state', 'sealed'), (second, 'verb', 'defrost')},
            set(domains.unknown_work(self.db, 10)))

    def test_arguments_that_are_no_json_are_set_aside(self):
        self.deployment.stop_engines()
        first, second, _ = self.uuids
        self.ask(first, 'rebuild')
        self.overwrite_actions(first, arguments=BROKEN)
        self.ask(second, 'lock')
        self.deployment.start_engine()
        self.wait_for(second, lock_state='locked')
        eventually(lambda: 'arguments' in self.log.output)
        self.assertEqual('rebuilding', self.row(first)['status'])

    def test_moments_that_are_none_keep_nobody_from_the_others(self):
        first, second, _ = self.uuids
        for column, value in itertools.product(
                ('created_at', 'started_at'), self.timestamps):
            self.deployment.stop_engines()
            for uuid in (first, second):
                self.ask(uuid, 'lock')
            self.overwrite_actions(first, **{column: value})
            found = {action.instance_uuid
                     for action in actions.unfinished(self.db, limit=10)}
            self.assertEqual({first, second}, found)
            # What a round begins with; messages may come to its aid.
            [action] = actions.due(self.db, 10, 6.0)
            self.assertEqual(second, action.instance_uuid)
            self.deployment.start_engine()
            self.wait_for(second, lock_state='locked')
            eventually(lambda column=column: f'the {column} "' in
                       self.log.output)
            # Put right, it is done.
            self.overwrite_actions(first, **{column: '2026-11-29 06:00:00'})
            self.wait_for(first, lock_state='locked')
            for uuid in (first, second):
                self.ask(uuid, 'unlock')
                self.wait_for(uuid, lock_state='unlocked')

    def test_a_build_that_needs_what_is_broken_ends_with_its_name(self):
        for column, value in (('resources', BROKEN), ('resources', '[]'),
                              ('traits', '"fast"')):
            flavor = self.make_flavor()
            self.write(models.flavors, models.flavors.c.uuid == flavor,
                       {column: value})
            uuid = self.ask_for_instance(flavor_uuid=flavor)
            self.wait_for(uuid, status='error')
            fault = self.see(uuid)['fault']
            self.assertEqual('create', fault['cause'])
            self.assertIn(f'The flavor {flavor} has the {column} "',
                          fault['message'])
        self.deployment.stop_engines()
        uuids = {column: self.ask_for_instance() for column in (
            'metadata', 'partitions', 'networks')}
        for column, uuid in uuids.items():
            self.overwrite(uuid, **{column: BROKEN})
        self.deployment.start_engine()
        for column, uuid in uuids.items():
            self.wait_for(uuid, status='error')
            self.assertIn(f'The instance {uuid} has the {column} "{BROKEN}"',
                          self.see(uuid)['fault']['message'])

    def test_an_instance_without_its_flavor_is_not_rebuilt(self):
        uuid = self.uuids[0]
        with self.db.writer() as connection:
            connection.execute(sa.delete(models.flavors).where(
                models.flavors.c.uuid == self.row(uuid)['flavor_uuid']))
        self.ask(uuid, 'rebuild')
        self.wait_for(uuid, status='error')
        self.assertIn('Flavor', self.see(uuid)['fault']['message'])

    def test_what_the_work_does_not_need_may_be_broken(self):
        first, second, _ = self.uuids
        for uuid in (first, second):
            self.overwrite(uuid, metadata=BROKEN, fault=BROKEN,
                       lock_fault=BROKEN)
        self.ask(first, 'delete')
        self.ask(second, 'lock')
        self.wait_until_gone(first)
        self.wait_for(second, lock_state='locked')


class TestCounting(unknown_rows.UnknownRowsTest):

    engines = 0

    def counts(self):
        return {
            sample.labels['table']: sample.value
            for family in rows.Rows(self.db, 0).collect()
            if family.name == 'mogan_rows_not_understood'
            for sample in family.samples}

    def test_the_metric_counts_them(self):
        self.assertEqual({'instances': 0, 'actions': 0}, self.counts())
        for number, (column, value) in enumerate(STRANGE.items(), 1):
            uuid = self.put_row(lock_state='locked')
            self.overwrite(uuid, **{column: value})
            self.assertEqual(number, self.counts()['instances'])
        uuid = self.put_row()
        self.ask(uuid, 'lock')
        self.overwrite_actions(uuid, verb='defrost')
        self.assertEqual({'instances': 3, 'actions': 1}, self.counts())

    def test_moments_that_are_none_are_counted(self):
        uuid = self.put_row()
        self.ask(uuid, 'lock')
        for number, value in enumerate(self.timestamps):
            self.assertEqual(min(number, 1), self.counts()['actions'])
            self.overwrite_actions(uuid, created_at=value)
            self.assertEqual(0, outbox.backlog(self.db).actions)

    def test_unfinished_actions_of_other_verbs_are_counted(self):
        uuid = self.put_row()
        self.ask(uuid, 'lock')
        self.overwrite_actions(uuid, verb='defrost')
        [found] = [sample.value for family in rows.Rows(self.db, 0).collect()
                   for sample in family.samples
                   if family.name == 'mogan_unfinished_actions'
                   and sample.labels['verb'] == 'defrost']
        self.assertEqual(1, found)

    def test_a_node_that_is_not_understood_hides_no_other(self):
        with self.hardware.transaction() as txn:
            [node, *_] = self.hardware.nodes()
            txn.change(node.uuid, availability='melting',
                       power_state='lukewarm', power_target='warmer')
        self.assertEqual(4, len(self.hardware.nodes()))
