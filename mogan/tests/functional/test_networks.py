# SPDX-License-Identifier: Apache-2.0
"""Networks that servers are asked for: kept as a wish, each port once."""

import functools
import uuid as uuids
from typing import Any

import sqlalchemy as sa

from mogan.db import models, purge
from mogan.tests.functional import base, conformity
from mogan.tests.support.concurrency import at_once

V = models.vifs
NET = '8f0d3c5e-2b4a-4c7d-9e1f-6a5b4c3d2e1f'


class NetworksTest(conformity.Conforming, base.FunctionalTest):

    engines = 0

    def setUp(self) -> None:
        super().setUp()
        self.flavor = self.make_flavor()
        self.port = str(uuids.uuid4())

    def ask_for_server(self, *networks: dict[str, str], client: Any = None,
                       **values: Any) -> Any:
        return (client or self.demo).post('/v1/servers', {'server': {
            'name': 'web', 'image_uuid': base.IMAGE,
            'flavor_uuid': self.flavor, 'networks': list(networks),
            } | values})

    def kept(self) -> list[Any]:
        with self.db.reader() as connection:
            return connection.execute(sa.select(
                V.c.instance_uuid, V.c.net_id, V.c.port_id).order_by(
                    V.c.instance_uuid, V.c.position)).all()

    def keep(self, instance: str) -> None:
        with self.db.writer() as connection:
            connection.execute(sa.insert(V).values(
                instance_uuid=instance, position=0, port_id=self.port))


class TestNetworks(NetworksTest):

    def test_they_are_kept_and_shown_in_both_dialects(self):
        asked = [{'net_id': NET.upper()}, {'port_id': self.port},
                 {'net_id': NET}]
        made = self.expect(201, self.ask_for_server(*asked)).json
        for path in (f'/v1/servers/{made["uuid"]}',
                     f'/v1/instances/{made["uuid"]}'):
            self.assertEqual(
                [{name: value.lower() for name, value in one.items()}
                 for one in asked], self.demo.get(path).json['networks'])
        self.assertEqual([(made['uuid'], NET, None),
                          (made['uuid'], None, self.port),
                          (made['uuid'], NET, None)], self.kept())

    def test_a_port_is_on_one_instance(self):
        self.expect(201, self.ask_for_server({'port_id': self.port}))
        other = self.deployment.client('other')
        for client in (self.demo, self.admin, other):
            answer = self.expect(409, self.ask_for_server(
                {'port_id': str(uuids.uuid4())},
                {'port_id': self.port.upper()}, client=client))
            self.assertIn(f'port {self.port} is in use by another',
                          answer.message)
        self.assertEqual(1, len(self.kept()))
        # Whoever wants no port is not concerned.
        self.expect(201, self.ask_for_server({'net_id': NET}))

    def test_a_port_twice_in_one_request_is_a_mistake(self):
        answer = self.expect(400, self.ask_for_server(
            {'port_id': self.port}, {'net_id': NET},
            {'port_id': self.port.upper()}))
        self.assertIn('$.server.networks[2].port_id', answer.message)

    def test_a_server_that_is_refused_takes_no_port(self):
        self.expect(400, self.ask_for_server({'port_id': self.port},
                                             flavor_uuid=base.NOWHERE))
        self.assertEqual([], self.kept())

    def test_of_many_at_a_time_one_gets_the_port(self):
        def ask(number: int) -> int:
            mine = {'port_id': str(uuids.uuid4())}
            networks = [{'port_id': self.port}, mine]
            return self.ask_for_server(
                *networks[::1 if number % 2 else -1],
                client=self.deployment.client('demo')).status

        found = sorted(at_once(*(
            functools.partial(ask, number) for number in range(6))))
        self.assertEqual([201, *[409] * 5], found)
        self.assertEqual(2, len(self.kept()))

    def test_a_port_of_what_older_code_has_deleted_is_free(self):
        self.keep(self.put_row(deleted_at=base.now()))
        made = self.expect(201, self.ask_for_server({'port_id': self.port}))
        self.assertEqual([(made.json['uuid'], None, self.port)],
                         self.kept())

    def test_what_is_left_of_it_goes_with_the_purge(self):
        self.keep(self.put_row(deleted_at=base.now()))
        purge.deleted_instances(self.db, -1, 10)
        self.assertEqual([], self.kept())


class TestTheEnd(NetworksTest):

    engines = 1

    def test_a_delete_frees_the_port(self):
        uuid = self.expect(201, self.ask_for_server(
            {'port_id': self.port})).json['uuid']
        self.wait_for(uuid, status='active')
        self.ask(uuid, 'delete', 'demo')
        self.wait_until_gone(uuid)
        self.assertEqual([], self.kept())
        self.expect(201, self.ask_for_server({'port_id': self.port}))
