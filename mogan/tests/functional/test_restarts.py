# SPDX-License-Identifier: Apache-2.0
"""Engines that stop, die or were never there: whatever was accepted is
carried out by the next one."""

from typing import Any

from mogan.baremetal.simulated import faults
from mogan.tests.functional import base
from mogan.tests.support.client import Client
from mogan.tests.support.processes import eventually

_LONG = 3600.0  # seconds
# Request, what the instance shows in between, and in the end.
_UNFINISHED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ('create', {'status': 'building'}, {'status': 'active'}),
    ('lock', {'lock_state': 'locking'},
     {'lock_state': 'locked', 'node_protection': 'applied'}),
    ('unlock', {'lock_state': 'unlocking'},
     {'lock_state': 'unlocked', 'node_protection': 'none'}),
    ('rebuild', {'status': 'rebuilding'},
     {'status': 'active', 'image_uuid': base.OTHER_IMAGE}),
    ('off', {'status': 'powering-off'},
     {'status': 'stopped', 'power_state': 'power off'}),
    ('on', {'status': 'powering-on'},
     {'status': 'active', 'power_state': 'power on'}),
    ('soft_off', {'status': 'soft-powering-off'}, {'status': 'stopped'}),
    ('reboot', {'status': 'rebooting'}, {'status': 'active'}),
    ('soft_reboot', {'status': 'soft-rebooting'}, {'status': 'active'}),
    ('delete', {'status': 'deleting'}, {}),
]


class TestRestarts(base.FunctionalTest):

    def _prepare(self, request: str) -> str | None:
        """Create an instance for the request; returns its uuid."""
        if request == 'create':
            return None
        uuid = self.make_instance()
        if request == 'unlock':
            self.lock(uuid)
        if request == 'on':
            self.ask(uuid, 'off')
            self.wait_for(uuid, status='stopped')
        return uuid

    def _begin(self, request: str, uuid: str | None) -> str:
        if uuid is None:
            return self.ask_for_instance()
        self.ask(uuid, request)
        return uuid

    def _check_end(self, uuid: str, end: dict[str, Any]) -> None:
        if end:
            self.wait_for(uuid, **end)
        else:
            self.wait_until_gone(uuid)
        self.assertEqual('done', self.history(uuid)[0]['outcome'])
        # A repair may have looked at it in between.
        eventually(lambda: self.row(uuid)['claim_by'],
                   until=lambda holder: holder is None)

    def _without_an_engine(self, request: str, between: dict[str, Any],
                           end: dict[str, Any]) -> None:
        uuid = self._prepare(request)
        self.deployment.stop_engines()
        uuid = self._begin(request, uuid)
        seen = self.see(uuid)
        self.assertLessEqual(between.items(), seen.items())
        self.assertIsNone(self.history(uuid)[0]['outcome'])
        self.deployment.start_engine()
        self._check_end(uuid, end)

    def _with_a_dead_engine(self, request: str, between: dict[str, Any],
                            end: dict[str, Any]) -> None:
        """Claim the instance for an engine that has died."""
        uuid = self._prepare(request)
        self.deployment.stop_engines()
        uuid = self._begin(request, uuid)
        self.claim_for_a_dead_engine()
        self.deployment.start_engine()
        self._check_end(uuid, end)
        self.assertLess(9, self.row(uuid)['claim_seq'])

    def _in_the_middle(self, request: str, between: dict[str, Any],
                       end: dict[str, Any]) -> None:
        """Let the hardware work without an engine."""
        uuid = self._prepare(request)
        self.deployment.stop_engines()
        # Until the test ends it.
        slow = {'deploy_time': _LONG, 'rebuild_time': _LONG,
                'undeploy_time': _LONG, 'power_time': _LONG}
        self.deployment.start_engine(**slow)
        uuid = self._begin(request, uuid)
        eventually(lambda: self.node_of(uuid),
                   until=lambda node: node and node.busy)
        self.deployment.stop_engines()
        self.assertLessEqual(between.items(), self.see(uuid).items())
        self.deployment.start_engine(**slow)
        self.end_the_work(uuid)
        self._check_end(uuid, end)
        effects = [entry.call for entry in self.hardware.journal()
                   if entry.instance_uuid == uuid
                   and entry.outcome == 'effect'
                   and entry.call in {'deploy', 'rebuild', 'undeploy'}]
        self.assertEqual(len(set(effects)), len(effects), effects)


def _add(request: str, between: dict[str, Any], end: dict[str, Any]) -> None:
    kinds = {'accepted_while_no_engine_ran': 'without_an_engine',
             'claimed_by_a_dead_engine': 'with_a_dead_engine'}
    if request not in {'lock', 'unlock'}:
        kinds['under_way_at_a_restart'] = 'in_the_middle'
    for words, kind in kinds.items():
        def test(self: TestRestarts, kind: str = kind) -> None:
            getattr(self, f'_{kind}')(request, between, end)

        test.__name__ = f'test_{request}_{words}'
        setattr(TestRestarts, test.__name__, test)


for _case in _UNFINISHED:
    _add(*_case)


class TestSeveralEngines(base.FunctionalTest):

    engines = 2

    def test_they_share_the_work_and_do_none_of_it_twice(self):
        flavor = self.make_flavor()
        uuids = [self.ask_for_instance(flavor_uuid=flavor)
                 for _ in range(4)]
        for uuid in uuids:
            self.wait_for(uuid, status='active')
        deploys = [entry.instance_uuid for entry in self.hardware.journal()
                   if entry.call == 'deploy' and entry.outcome == 'effect']
        self.assertEqual(sorted(uuids), sorted(deploys))
        self.assertEqual(4, len({self.see(uuid)['node_uuid']
                                 for uuid in uuids}))

    def test_one_takes_over_from_another_that_is_stopped(self):
        uuid = self.make_instance()
        self.deployment.engines.pop(0).stop()
        self.lock(uuid)
        self.assertTrue(self.node_of(uuid).protected)


class TestWithoutMessages(base.FunctionalTest):
    """The broker is not there; the engines are."""

    def setUp(self):
        super().setUp()
        application = self.deployment.make_application(
            transport=self.deployment.broken_transport())
        self.cut_off = Client(application, 'admin')

    def test_a_lock_is_accepted_and_settles(self):
        uuid = self.make_instance()
        self.expect(202, self.cut_off.lock(uuid))
        self.assertTrue(self.see(uuid)['locked'])
        self.expect(409, self.demo.delete(f'/v1/instances/{uuid}'))
        self.wait_for(uuid, lock_state='locked')
        self.assertTrue(self.node_of(uuid).protected)

    def test_the_nodes_cannot_be_listed_and_the_answer_says_so(self):
        answer = self.expect(503, self.cut_off.get('/v1/nodes'))
        self.assertIn('engine', answer.message)
        self.assertIn('retry-after', answer.headers)


class TestNodes(base.FunctionalTest):

    def test_they_are_listed_with_what_they_carry(self):
        uuid = self.make_instance()
        self.lock(uuid, 'disk swap')
        nodes = self.expect(
            200, self.admin.get('/v1/nodes/detail')).json['nodes']
        self.assertEqual(4, len(nodes))
        [carrier] = [node for node in nodes if node['instance_uuid'] == uuid]
        self.assertLessEqual(
            {'uuid': self.see(uuid)['node_uuid'], 'protected': True,
             'protected_reason': self.marked(uuid, 'disk swap'),
             'availability': 'active', 'power_state': 'power on',
             'resource_class': 'CUSTOM_BAREMETAL_SMALL'}.items(),
            carrier.items())

    def test_their_names_come_in_pages(self):
        names, path = [], '/v1/nodes?limit=3'
        while path:
            page = self.expect(200, self.admin.get(path)).json
            names += page['nodes']
            path = page.get('next')
        self.assertEqual({f'node-{number}' for number in range(4)},
                         set(names))
        self.assertEqual(4, len(names))

    def test_without_an_engine_they_cannot_be_listed(self):
        self.deployment.stop_engines()
        self.expect(503, self.admin.get('/v1/nodes'))

    def test_hardware_that_is_away_is_no_fault_of_the_service(self):
        self.hardware.add_fault(faults.Fault(
            faults.Mode.UNAVAILABLE, 'nodes'))
        answer = self.expect(503, self.admin.get('/v1/nodes'))
        self.assertIn('retry-after', answer.headers)
        self.expect(200, self.admin.get('/v1/nodes'))
