# SPDX-License-Identifier: Apache-2.0
"""Nodes that somebody else has deployed at Ironic become instances."""

import os
import signal
import subprocess
import sys
import textwrap
from typing import Any

from mogan.engine.task import Limits
from mogan.tests.functional import base as functional
from mogan.tests.ironic import base

PATH = '/v1/manageable_servers'


class Idle:
    """A worker that has nothing to do."""

    limits = Limits()

    def look(self, uuid: str) -> None:
        """Do nothing."""


class AdoptionTest(base.IronicTest):

    def setUp(self):
        super().setUp()
        [self.node_uuid] = [
            node['uuid'] for node in self.ironic.get('/v1/nodes')['nodes']]
        self.ironic.put_to_use(self.node_uuid, functional.IMAGE)
        self.before = self.known()

    def node(self) -> dict[str, Any]:
        return self.ironic.node(self.node_uuid)

    def known(self) -> dict[str, Any]:
        """Return all that Ironic has of the node, but its owner."""
        return {name: value for name, value in self.node().items()
                if name not in {'updated_at', 'instance_uuid', 'reservation',
                                'conductor', 'protected',
                                'protected_reason'}}

    def idle(self) -> None:
        """Let the engine answer, and do no work."""
        [engine] = self.deployment.engines
        engine._reconciler._worker = Idle()

    def adopt(self) -> str:
        return self.expect(201, self.admin.post(PATH, {
            'name': 'legacy', 'node_uuid': self.node_uuid})).json['uuid']

    def listed(self) -> list[str]:
        return [one['uuid'] for one in self.expect(
            200, self.admin.get(PATH)).json['manageable_servers']]

    def assert_ours(self, uuid: str) -> None:
        self.assertEqual(uuid, self.node()['instance_uuid'])
        self.assertEqual(self.before, self.known())

    def assert_untouched(self) -> None:
        self.assertIsNone(self.node()['instance_uuid'])
        self.assertEqual(self.before, self.known())


class TestAdoption(AdoptionTest):

    def test_a_node_is_taken_over_as_it_is(self):
        [one] = self.expect(
            200, self.admin.get(PATH)).json['manageable_servers']
        self.assertLessEqual(
            {'uuid': self.node_uuid, 'name': 'node-0',
             'provision_state': 'active', 'power_state': 'power on',
             'image_source': functional.IMAGE}.items(), one.items())
        flavor = self.make_flavor()
        uuid = self.adopt()
        self.wait_for(uuid, status='active', power_state='power on',
                      node_uuid=self.node_uuid, flavor_uuid=flavor,
                      image_uuid=functional.IMAGE, fault=None)
        self.assert_ours(uuid)
        self.assertEqual([], self.listed())
        self.assertIn(uuid, self.expect(409, self.admin.post(PATH, {
            'name': 'again', 'node_uuid': self.node_uuid})).message)

        self.lock(uuid, 'runs the payroll')
        node = self.node()
        self.assertEqual((True, f'mogan {uuid}: runs the payroll'), (
            node['protected'], node['protected_reason']))
        for target in ('deleted', 'rebuild'):
            self.assertEqual(403, self.ironic.provision(
                self.node_uuid, target).status_code)
        self.expect(409, self.admin.delete(f'/v1/instances/{uuid}'))
        self.assert_ours(uuid)

        self.ask(uuid, 'unlock')
        self.wait_for(uuid, lock_state='unlocked')
        self.assert_ours(uuid)
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)
        self.ironic.wait_for(self.node_uuid, provision_state='available',
                             instance_uuid=None)

    def test_one_that_ironic_has_adopted_is_taken_over(self):
        node_uuid = self.ironic.do('POST', '/v1/nodes', {
            'name': 'old', 'driver': 'fake-hardware',
            'resource_class': 'CUSTOM_OLD'}).json()['uuid']
        self.ironic.do('PUT', f'/v1/nodes/{node_uuid}/states/provision',
                       {'target': 'manage'})
        self.ironic.wait_for(node_uuid, provision_state='manageable',
                             reservation=None)
        self.ironic.patch(node_uuid, instance_info={
            'image_source': 'http://images.example/old.img',
            'image_type': 'whole-disk'})
        self.ironic.do('PUT', f'/v1/nodes/{node_uuid}/states/provision',
                       {'target': 'adopt'})
        self.ironic.wait_for(node_uuid, provision_state='active',
                             reservation=None)
        self.assertEqual(sorted([node_uuid, self.node_uuid]), self.listed())
        self.node_uuid = node_uuid
        self.before = self.known()
        uuid = self.adopt()
        # Ironic has not asked for its power yet.
        self.wait_for(uuid, status='active', flavor_uuid=None,
                      image_uuid=None)
        self.assert_ours(uuid)
        self.ask(uuid, 'rebuild')
        self.wait_for(uuid, status='active',
                      image_uuid=functional.OTHER_IMAGE)

    def test_one_that_is_off_is_stopped(self):
        self.ironic.do('PUT', f'/v1/nodes/{self.node_uuid}/states/power',
                       {'target': 'power off'})
        self.ironic.wait_for(self.node_uuid, power_state='power off',
                             reservation=None)
        uuid = self.adopt()
        self.wait_for(uuid, status='stopped', power_state='power off')

    def test_what_cannot_be_taken_over_is_refused_and_left_alone(self):
        path = f'/v1/nodes/{self.node_uuid}'
        for change, undo, word in (
                (lambda: self.ironic.do('PUT', f'{path}/maintenance', {}),
                 lambda: self.ironic.do('DELETE', f'{path}/maintenance'),
                 'maintenance'),
                (lambda: self.ironic.patch(self.node_uuid, protected=True),
                 lambda: self.ironic.patch(self.node_uuid, protected=False),
                 'protected'),
                (lambda: self.ironic.patch(
                    self.node_uuid, instance_uuid=functional.NOWHERE),
                 lambda: self.ironic.patch(self.node_uuid,
                                           instance_uuid=None),
                 functional.NOWHERE)):
            change()
            self.assertEqual([], self.listed())
            answer = self.expect(409, self.admin.post(PATH, {
                'name': 'legacy', 'node_uuid': self.node_uuid}))
            self.assertIn(word, answer.message)
            undo()
            self.assert_untouched()
        self.expect(400, self.admin.post(PATH, {
            'name': 'legacy', 'node_uuid': functional.NOWHERE}))
        self.assertEqual([], self.admin.get(
            '/v1/instances').json['instances'])


class TestFailures(AdoptionTest):

    def test_a_node_that_has_gone_into_maintenance_is_left_alone(self):
        self._between(lambda: self.ironic.do(
            'PUT', f'/v1/nodes/{self.node_uuid}/maintenance', {}),
            'maintenance')
        self.ironic.do('DELETE', f'/v1/nodes/{self.node_uuid}/maintenance')
        self.assert_untouched()

    def test_a_node_that_somebody_else_has_got_is_left_to_him(self):
        self._between(lambda: self.ironic.patch(
            self.node_uuid, instance_uuid=functional.NOWHERE),
            functional.NOWHERE)
        self.assertEqual(functional.NOWHERE, self.node()['instance_uuid'])
        self.assertEqual(self.before, self.known())

    def _between(self, change, word) -> None:
        """Change the node after the request and before it is processed; the
        instance fails, and is deleted."""
        self.idle()
        uuid = self.adopt()
        change()
        self.deployment.stop_engines()
        self.deployment.start_engine()
        seen = self.wait_for(uuid, status='error', node_uuid=None)
        self.assertIn(word, seen['fault']['message'])
        self.ask(uuid, 'delete')
        self.wait_until_gone(uuid)


class TestKilledEngines(AdoptionTest):
    """The process dies in the middle of the call; another engine goes on."""

    # Dies when it has asked, for the last time, whether its claim covers
    # the call, or when the call has been answered.
    _DIE = textwrap.dedent("""\
        import os, signal, sys
        from mogan.baremetal import driver
        from mogan.tests.ironic.drivers import make_driver
        url, node_uuid, instance_uuid, when = sys.argv[1:]
        die = lambda: os.kill(os.getpid(), signal.SIGKILL)
        made = make_driver(url)
        spec = driver.DeploySpec(instance_uuid, 'legacy', None)
        made.adopt(node_uuid, spec, driver.Permit(
            1, lambda: when != 'before' or die()))
        die()
    """)

    def _die(self, when: str) -> str:
        """Return the instance whose engine has died while adopting."""
        self.idle()
        uuid = self.adopt()
        done = subprocess.run(
            [sys.executable, '-c', self._DIE, self.ironic.url,
             self.node_uuid, uuid, when], check=False, timeout=60,
            env=os.environ | {'PYTHONPATH': os.pathsep.join(sys.path)})
        self.assertEqual(-signal.SIGKILL, done.returncode)
        self.deployment.stop_engines()
        # As the dead one has left it.
        self.claim_for_a_dead_engine()
        self.assertEqual('building', self.see(uuid)['status'])
        return uuid

    def test_before_the_call_nothing_has_happened(self):
        uuid = self._die('before')
        self.assert_untouched()
        self.deployment.start_engine()
        self.wait_for(uuid, status='active')
        self.assert_ours(uuid)

    def test_after_the_call_it_is_finished(self):
        uuid = self._die('after')
        self.assert_ours(uuid)
        self.deployment.start_engine()
        self.wait_for(uuid, status='active', node_uuid=self.node_uuid)
        self.assert_ours(uuid)

    def test_after_the_call_a_delete_gives_it_back_as_it_is(self):
        uuid = self._die('after')
        self.ask(uuid, 'delete')
        self.deployment.start_engine()
        self.wait_until_gone(uuid)
        self.assert_untouched()


class TestIronicAway(AdoptionTest):

    own = True

    def test_a_take_over_waits_for_it(self):
        self.idle()
        uuid = self.adopt()
        self.ironic.stop()
        self.deployment.stop_engines()
        self.deployment.start_engine()
        self.assertIn('cannot be reached', self.wait_for_fault(uuid))
        self.expect(503, self.admin.get(PATH))
        self.expect(503, self.admin.post(PATH, {
            'name': 'x', 'node_uuid': self.node_uuid}))
        self.ironic.start()
        self.wait_for(uuid, status='active', fault=None)
        self.assert_ours(uuid)
