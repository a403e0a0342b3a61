# SPDX-License-Identifier: Apache-2.0
"""The inputs of an instance reach its node, and nobody else where they are
secret."""

import base64
import json
import logging
from typing import Any

import fixtures
import sqlalchemy as sa

from mogan.db import models, purge
from mogan.tests.functional import base
from mogan.tests.support.deployment import SMALL

KEY = ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDBVqqxZ9mxLMyCHakzoBYZnQwfjeb0Z'
       '+ZdaAlZGav4B ann@example.com')
MARKER = 'correct-horse-battery-staple'
USER_DATA = f'#cloud-config\n# {MARKER}\n'
GIVEN = {'user_data': base64.b64encode(USER_DATA.encode()).decode(),
         'ssh_keys': [f'{KEY}\n'],
         'partitions': {'root_gb': '40', 'swap_mb': 4096}}


class TestInputs(base.FunctionalTest):

    def drive(self, uuid: str) -> dict[str, Any]:
        """Return the metadata that the instance finds on its config drive."""
        return self.hardware.config_drive(self.node_of(uuid).uuid)

    def kept(self) -> list[Any]:
        with self.db.reader() as connection:
            return connection.execute(sa.select(models.inputs)).all()

    def assert_handed_on(self, uuid: str) -> None:
        drive = self.drive(uuid)
        self.assertEqual(USER_DATA, drive['user_data'])
        self.assertEqual({'ssh_keys.0': KEY},
                         drive['meta_data']['public_keys'])

    def test_the_node_gets_it_with_the_build_and_with_each_rebuild(self):
        uuid = self.make_instance(**GIVEN)
        self.assert_handed_on(uuid)
        with self.hardware.transaction() as txn:
            txn.change(self.node_of(uuid).uuid, config_drive=None)
        self.ask(uuid, 'rebuild', 'demo')
        self.wait_for(uuid, status='active')
        self.assert_handed_on(uuid)

    def test_an_instance_that_was_given_nothing_has_no_row_for_it(self):
        uuid = self.make_instance()
        self.assertEqual([], self.kept())
        self.assertEqual({'meta_data'}, self.drive(uuid).keys())

    def test_it_goes_with_the_instance(self):
        uuid = self.make_instance(**GIVEN)
        self.assertEqual(1, len(self.kept()))
        self.ask(uuid, 'delete', 'demo')
        self.wait_until_gone(uuid)
        self.assertEqual([], self.kept())

    def test_what_is_left_of_it_goes_with_the_purge(self):
        uuid = self.put_row(deleted_at=base.now())
        with self.db.writer() as connection:
            connection.execute(sa.insert(models.inputs).values(
                instance_uuid=uuid, user_data='YQ=='))
        purge.deleted_instances(self.db, -1, 10)
        self.assertEqual([], self.kept())

    def test_some_of_it_is_shown(self):
        given, plain = self.make_instance(**GIVEN), self.make_instance()
        listed = {one['uuid']: one for one in self.demo.get(
            '/v1/instances/detail').json['instances']}
        chosen = {one['uuid']: one for one in self.demo.get(
            '/v1/instances?fields=uuid,partitions').json['instances']}
        for show in (self.see, listed.get, chosen.get):
            one = show(given)
            self.assertEqual({'root_gb': 40, 'swap_mb': 4096},
                             one['partitions'])
            self.assertIsNone(show(plain)['partitions'])

    def test_a_key_pair_that_there_is_not_is_told_so(self):
        answer = self.demo.post('/v1/instances', {
            'name': 'web', 'image_uuid': base.IMAGE, 'key_name': 'laptop',
            'flavor_uuid': self.make_flavor()})
        self.expect(400, answer)
        self.assertIn('$.key_name: key pair laptop not found',
                      answer.json['error']['message'])

    def test_an_instance_that_is_refused_leaves_nothing(self):
        self.expect(400, self.demo.post('/v1/instances', {
            'name': 'web', 'image_uuid': base.IMAGE,
            'flavor_uuid': base.NOWHERE} | GIVEN))
        self.assertEqual([], self.kept())


class TestRefusals(base.FunctionalTest):

    engines = 0

    def assert_refused(self, place: str, **given: Any) -> None:
        answer = self.demo.post('/v1/instances', {
            'name': 'web', 'image_uuid': base.IMAGE,
            'flavor_uuid': base.NOWHERE} | given)
        self.expect(400, answer)
        self.assertIn(place, answer.json['error']['message'])

    def test_user_data_are_text_in_base64(self):
        for value, place in (
                (5, '$.user_data'), ('a b=', '$.user_data: is not base64'),
                ('YQ=', '$.user_data: is not base64'),
                ('\u00e9', '$.user_data: is not base64'),
                ('/w==', '$.user_data: is not UTF-8'),
                ('YWFh' * 16_384, '$.user_data')):
            self.assert_refused(place, user_data=value)

    def test_keys_are_keys_of_openssh(self):
        for value, place in (
                ('ssh-rsa A', '$.ssh_keys'), ([KEY] * 17, '$.ssh_keys'),
                ([KEY, 'ssh-rsa A'], '$.ssh_keys[1]: is not a public key'),
                ([f'{KEY}\n{KEY}'], '$.ssh_keys[0]')):
            self.assert_refused(place, ssh_keys=value)
        for name in (' x', 'x ', 'x:y', '..', '', 'x' * 256):
            self.assert_refused('$.key_name', key_name=name)

    def test_a_network_is_a_net_or_a_port(self):
        both = {'net_id': base.IMAGE, 'port_id': base.IMAGE}
        for value, place in (
                ([], '$.networks'), ([{}], '$.networks[0]'),
                ([{'net_id': 'x'}], '$.networks[0].net_id'),
                ([both], '$.networks[0]'), ([{'uuid': 'x'}], 'uuid'),
                ([{'port_id': base.IMAGE}] * 17, '$.networks'),
                ([{'net_id': base.IMAGE}], '$.networks: networks are not')):
            self.assert_refused(place, networks=value)

    def test_partitions_have_sizes(self):
        for value, place in (
                ({}, 'root_gb'), ({'root_gb': 1, 'boot_gb': 1}, 'boot_gb'),
                *(({'root_gb': size}, '$.partitions.root_gb') for size in (
                    0, -1, 1.5, '1e3', '', None, True, 1_000_000))):
            self.assert_refused(place, partitions=value)

    def test_what_only_others_have_is_not_known(self):
        for name in ('personality', 'adminPass', 'min_count'):
            self.assert_refused(name, **{name: 1})


class TestSecrets(base.FunctionalTest):
    """User data that are a secret."""

    def setUp(self):
        self.logged = self.useFixture(fixtures.FakeLogger(
            level=logging.DEBUG, nuke_handlers=False))
        super().setUp()
        logging.getLogger('oslo_policy').setLevel(logging.DEBUG)

    def assert_hidden(self, *seen: Any) -> None:
        for text in (*(json.dumps(one) for one in seen), self.logged.output):
            for secret in (MARKER, GIVEN['user_data'],
                           GIVEN['user_data'][20:60]):
                self.assertNotIn(secret, text)

    def test_nobody_sees_them_from_the_first_day_to_the_last(self):
        uuid = self.make_instance(**GIVEN)
        self.hardware.set_protected(self.node_of(uuid).uuid, protected=True)
        self.ask(uuid, 'rebuild', 'demo')
        fault = self.wait_for(uuid, status='active')['fault']
        self.assertEqual('rebuild', fault['cause'])
        self.hardware.set_protected(self.node_of(uuid).uuid, protected=False)
        self.ask(uuid, 'lock')
        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        shown = self.see(uuid)
        detail = self.admin.get('/v1/instances/detail?all_tenants=1').json
        nodes = self.admin.get('/v1/nodes/detail').json
        self.ask(uuid, 'delete', 'demo')
        self.wait_until_gone(uuid)
        self.assert_hidden(fault, shown, detail, nodes, self.history(uuid),
                           str(self.row(uuid)))

    def test_a_refusal_does_not_repeat_them(self):
        answer = self.demo.post('/v1/instances', {
            'name': 'web', 'image_uuid': base.IMAGE,
            'flavor_uuid': base.NOWHERE} | GIVEN | {
                'user_data': GIVEN['user_data'] + '!'})
        self.expect(400, answer)
        self.assertIn('$.user_data: is not base64',
                      answer.json['error']['message'])
        self.assert_hidden(answer.json)

    def test_a_database_that_fails_does_not_repeat_them(self):
        with self.db.engine.begin() as connection:
            connection.execute(sa.text('ALTER TABLE inputs RENAME TO lost'))
        try:
            answer = self.demo.post('/v1/instances', {
                'name': 'web', 'image_uuid': base.IMAGE,
                'flavor_uuid': self.make_flavor()} | GIVEN)
        finally:
            with self.db.engine.begin() as connection:
                connection.execute(sa.text(
                    'ALTER TABLE lost RENAME TO inputs'))
        self.assertGreaterEqual(answer.status, 500)
        self.assertIn('INSERT INTO inputs', self.logged.output)
        self.assert_hidden(answer.json)


class TestZones(base.FunctionalTest):
    """Three nodes in hall-1, one in hall-2."""

    def test_an_instance_gets_a_node_of_the_zone_that_it_names(self):
        uuid = self.make_instance(availability_zone='hall-2')
        self.assertEqual('hall-2', self.node_of(uuid).availability_zone)
        # There are others that are free.
        uuid = self.ask_for_instance(availability_zone='hall-2')
        self.assertEqual(
            f'no free node has 1 of {SMALL} in the availability zone hall-2',
            self.wait_for(uuid, status='error')['fault']['message'])
        self.assertEqual('hall-2', self.see(uuid)['availability_zone'])

    def test_an_instance_that_names_none_gets_any(self):
        uuids = [self.make_instance() for _ in range(4)]
        self.assertEqual(
            ['hall-1'] * 3 + ['hall-2'],
            [self.node_of(uuid).availability_zone for uuid in uuids])

    def test_the_zones_are_those_of_the_nodes(self):
        self.hardware.set_zone(self.hardware.named('node-0').uuid, 'hall-0')
        self.hardware.set_zone(self.hardware.named('node-3').uuid, None)
        self.assertEqual(
            {'availability_zones': ['hall-0', 'hall-1']},
            self.expect(200, self.reader.get('/v1/availability_zones')).json)
        self.assertEqual(
            ['hall-0', 'hall-1', 'hall-1', None],
            [node['availability_zone'] for node in sorted(self.admin.get(
                '/v1/nodes/detail').json['nodes'],
                key=lambda node: node['name'])])


class TestZonesWithoutEngines(base.FunctionalTest):

    engines = 0

    def test_nobody_can_tell_the_zones(self):
        self.expect(503, self.demo.get('/v1/availability_zones'))
