# SPDX-License-Identifier: Apache-2.0
"""The driver's answers where Ironic, or the connection to it, fails."""

import dataclasses
import time
import uuid

import bcrypt
from oslotest import base

from mogan.baremetal import driver
from mogan.baremetal.driver import PowerTarget
from mogan.baremetal.protection import Protection
from mogan.tests.ironic import server
from mogan.tests.ironic.drivers import make_driver
from mogan.tests.ironic.front import Front
from mogan.tests.permits import Permits
from mogan.tests.support import certificates
from mogan.tests.support.files import temporary_directory


class OutcomeTest(Permits, base.BaseTestCase):
    """An active node of an instance."""

    def setUp(self):
        super().setUp()
        self.ironic = self.install()
        self.resource_class = server.some_class()
        self.node_uuid = self.ironic.enrol('node-1', self.resource_class)
        self.spec = self.new_spec()
        self.driver = self.open()
        self.driver.claim(self.spec, self.permit(1))
        self.driver.deploy(self.node_uuid, self.spec, self.permit(1))
        self.ironic.wait_for(self.node_uuid, provision_state='active',
                             reservation=None)

    def install(self):
        ironic = server.shared()
        self.addCleanup(server.shared.restore)
        return ironic

    def open(self, url=None, **options):
        opened = make_driver(url or self.ironic.url, **options)
        self.addCleanup(opened.close)
        return opened

    def new_spec(self):
        return driver.DeploySpec(str(uuid.uuid4()), 'web', 'image',
                                 {self.resource_class: 1})

    @property
    def protection(self):
        return Protection(self.spec.instance_uuid, 'x')

    def protect(self, opened):
        opened.protect(self.node_uuid, self.protection, self.permit(2))

    def undeploy(self, opened):
        opened.undeploy(self.node_uuid, self.spec.instance_uuid,
                        self.permit(2))

    def node(self):
        return self.ironic.node(self.node_uuid)


class TestBehindAProxy(OutcomeTest):

    def setUp(self):
        super().setUp()
        self.front = Front(self.ironic.port)
        self.addCleanup(self.front.close)
        self.behind = self.open(self.front.url)

    def _changes(self):
        return [method for method, _ in self.front.seen if method != 'GET']

    def test_an_answer_that_is_lost_leaves_the_outcome_unknown(self):
        self.front.fault = 'lost answer'
        self.assertRaises(driver.OutcomeUnknown, self.protect, self.behind)
        self.assertTrue(self.node()['protected'])
        # The next one looks first, and finds it done.
        self.protect(self.behind)
        self.assertEqual(['PATCH'], self._changes())

    def test_so_does_one_that_breaks_off(self):
        self.front.fault = 'cut answer'
        self.assertRaises(driver.OutcomeUnknown, self.protect, self.behind)
        self.assertTrue(self.node()['protected'])

    def test_a_claim_whose_answer_is_lost_is_found_again(self):
        other = self.ironic.enrol('node-2', self.resource_class)
        spec = self.new_spec()
        self.front.fault = 'lost answer'
        self.assertRaises(driver.OutcomeUnknown, self.behind.claim, spec,
                          self.permit(1))
        self.assertEqual(other, self.behind.claim(spec, self.permit(1)).uuid)

    def test_json_that_is_not_ironic_s_says_nothing_of_nodes(self):
        self.front.fault = 'odd'
        for call in (self.behind.nodes, self.behind.zones,
                     self.behind.manageable,
                     lambda: self.behind.look([self.node_uuid]),
                     lambda: self.behind.find(self.spec.instance_uuid),
                     lambda: self.behind.claim(self.new_spec(),
                                               self.permit(1)),
                     lambda: self.protect(self.behind)):
            self.assertRaises(driver.Unavailable, call)
        self.assertEqual([], self._changes())

    def test_a_gateway_s_error_leaves_the_outcome_unknown(self):
        self.front.fault = 'bad gateway'
        self.assertRaises(driver.OutcomeUnknown, self.undeploy, self.behind)
        self.assertEqual(['PUT'], self._changes())

    def test_a_login_that_has_run_out_is_never_made_anew_in_a_call(self):
        self.front.fault = 'logged out'
        self.assertRaises(driver.Unavailable, self.undeploy, self.behind)
        self.assertEqual(['PUT'], self._changes())

    def test_nobody_goes_where_ironic_is_said_to_be_by_now(self):
        other = Front(self.ironic.port)
        self.addCleanup(other.close)
        self.behind.nodes()
        self.front.elsewhere = other.url
        self.front.fault = 'moved'
        for call in (self.behind.nodes, lambda: self.undeploy(self.behind),
                     lambda: self.behind.look([self.node_uuid]),
                     lambda: self.behind.find(self.spec.instance_uuid)):
            moved = self.assertRaises(driver.Unavailable, call)
            self.assertIn('302', str(moved))
        self.assertEqual([], other.seen)

    def test_a_proxy_that_closes_each_connection_is_told_so(self):
        self.front.fault = 'closes'
        error = self.assertRaises(driver.Unavailable, self.undeploy,
                                  self.behind)
        self.assertIn('keep them alive', str(error))
        self.assertEqual([], self._changes())

    def test_a_node_that_is_hidden_is_not_taken_for_gone(self):
        self.protect(self.behind)
        self.front.fault = 'no rights'
        for call in (lambda: self.undeploy(self.behind),
                     lambda: self.behind.look([self.node_uuid]),
                     lambda: self.behind.find(self.spec.instance_uuid)):
            self.assertRaises(driver.Unavailable, call)

    def test_an_ironic_that_is_too_old_is_told_so_at_the_start(self):
        self.front.fault = 'old'
        error = self.assertRaises(ValueError, self.open, self.front.url)
        self.assertIn('1.1 to 1.46, and 1.56 is needed', str(error))


class TestTls(OutcomeTest):

    def test_a_certificate_that_the_configuration_vouches_for_is_good(self):
        files = certificates.make(temporary_directory(self))
        front = Front(self.ironic.port, files=files)
        self.addCleanup(front.close)
        url = f'https://localhost:{front.server_port}'
        self.assertRaises(driver.Unavailable, self.protect, self.open(url))
        opened = self.open(url, cafile=files[0])
        self.protect(opened)
        self.assertTrue(self.node()['protected'])
        [node] = opened.nodes()
        self.assertTrue(node.protected)


class TestStops(OutcomeTest):

    def install(self):
        ironic = server.Ironic()
        self.addCleanup(ironic.close)
        ironic.start()
        return ironic

    def _meanwhile(self, do):
        """Between the check and the call."""
        def covered():
            do()
            return True
        return self.covering(covered)

    def test_an_ironic_that_is_not_there_is_unavailable(self):
        self.ironic.kill()
        for call in (lambda: self.protect(self.driver),
                     lambda: self.driver.claim(self.new_spec(),
                                               self.permit(1)),
                     lambda: self.driver.look([self.node_uuid]),
                     self.driver.nodes):
            self.assertRaises(driver.Unavailable, call)

    def test_one_that_dies_before_it_answers_leaves_it_unknown(self):
        with self._meanwhile(self.ironic.kill):
            self.assertRaises(driver.OutcomeUnknown, self.undeploy,
                              self.driver)

    def test_one_that_does_not_answer_in_time_leaves_it_unknown(self):
        impatient = self.open(timeout=2)
        self.addCleanup(self.ironic.thaw)
        started = time.monotonic()
        with self._meanwhile(self.ironic.freeze):
            self.assertRaises(driver.OutcomeUnknown, self.undeploy,
                              impatient)
        self.assertLess(time.monotonic() - started, 10)


class TestRefusedRebuilds(OutcomeTest):
    """A refused rebuild leaves the node's instance_info as it was."""

    def setUp(self):
        super().setUp()
        self.ironic.patch(self.node_uuid, **{
            'instance_info/image_properties': {'found': 'out'}})
        self.info = self.ironic.instance_info(self.node_uuid)
        self.assertIn('configdrive', self.info)

    def _occupy(self):
        self.ironic.do('PUT', f'/v1/nodes/{self.node_uuid}/maintenance', {})
        return True

    def _refused(self):
        return self.assertRaises(
            driver.Refused, self.driver.rebuild, self.node_uuid,
            dataclasses.replace(self.spec, image_uuid='another'),
            self.permit(2))

    def test_of_a_node_in_maintenance(self):
        self._occupy()
        with self.covering(lambda: self.fail('a change')):
            self.assertIn('is in maintenance', str(self._refused()))
        self.assertEqual(self.info, self.ironic.instance_info(self.node_uuid))

    def test_of_a_node_whose_maintenance_begins_meanwhile(self):
        images = []

        def covered():
            info = self.ironic.instance_info(self.node_uuid)
            images.append(info['image_source'])
            if len(images) == 2:    # before the rebuild itself
                self._occupy()
            return True

        with self.covering(covered):
            self.assertIn('maintenance', str(self._refused()))
        self.assertEqual(['image', 'another', 'another'], images)
        self.assertEqual(self.info, self.ironic.instance_info(self.node_uuid))


class TestMaintenance(OutcomeTest):

    def test_one_that_begins_during_a_lock_stays_somebody_else_s(self):
        def meanwhile():
            if not self.node()['maintenance']:
                self.ironic.do(
                    'PUT', f'/v1/nodes/{self.node_uuid}/maintenance',
                    {'reason': 'smoke'})
            return True

        opened = self.open(maintenance_on_lock='true')
        with self.covering(meanwhile):
            self.protect(opened)
        opened.unprotect(self.node_uuid, self.protection, self.permit(3))
        node = self.node()
        self.assertEqual((False, 'smoke'), (node['protected'],
                                            node['maintenance_reason']))


class TestLocks(OutcomeTest):
    """Ironic is at work on the node."""

    def install(self):
        return TestStops.install(self)

    def _occupy(self, seconds):
        self.ironic.stop()
        self.ironic.start(power_delay=seconds)
        self.ironic.do('PUT', f'/v1/nodes/{self.node_uuid}/states/power',
                       {'target': 'rebooting'})
        self.ironic.wait_for(self.node_uuid, reservation='127.0.0.1')

    def test_a_call_waits_a_moment_until_the_node_is_let_go(self):
        self._occupy(1)
        self.protect(self.driver)
        self.assertTrue(self.node()['protected'])

    def test_a_call_gives_up_where_it_takes_longer(self):
        self._occupy(30)
        self.assertRaises(driver.NodeBusy, self.protect, self.driver)
        self.assertRaises(driver.NodeBusy, self.driver.power, self.node_uuid,
                          self.spec.instance_uuid, PowerTarget.OFF,
                          self.permit(3))


class TestClaims(OutcomeTest):

    def test_nodes_in_maintenance_are_left_alone(self):
        node_uuid = self.ironic.enrol('node-2', self.resource_class)
        self.ironic.do('PUT', f'/v1/nodes/{node_uuid}/maintenance', {})
        spec = self.new_spec()
        self.assertRaises(driver.NoNodeAvailable, self.driver.claim, spec,
                          self.permit(1))
        self.ironic.do('DELETE', f'/v1/nodes/{node_uuid}/maintenance')
        self.assertEqual(node_uuid, self.driver.claim(spec,
                                                      self.permit(1)).uuid)

    def test_a_node_that_is_put_into_maintenance_meanwhile_is_given_back(
            self):
        node_uuid = self.ironic.enrol('node-2', self.resource_class)

        def meanwhile():
            self.ironic.do('PUT', f'/v1/nodes/{node_uuid}/maintenance', {})
            return True

        with self.covering(meanwhile):
            self.assertRaises(driver.NoNodeAvailable, self.driver.claim,
                              self.new_spec(), self.permit(1))
        node = self.ironic.node(node_uuid)
        self.assertEqual((None, {}), (node['instance_uuid'],
                                      node['instance_info']))

    def test_many_nodes_are_looked_at_together(self):
        numbers = range(45)
        uuids = [self.ironic.do('POST', '/v1/nodes', {
            'driver': 'fake-hardware', 'name': f'many-{number}'},
            version='1.10').json()['uuid'] for number in numbers]
        seen = self.driver.look([*uuids, str(uuid.uuid4())])
        self.assertEqual({*uuids}, {*seen})
        self.assertEqual(seen[uuids[7]],
                         self.driver.look([uuids[7]])[uuids[7]])
        # A page goes on behind a node that is gone.
        page = self.driver.nodes(limit=5)
        self.ironic.remove(page[-1].uuid)
        self.assertEqual(self.driver.nodes(limit=9)[4:],
                         self.driver.nodes(marker=page[-1].uuid, limit=5))


class TestRoom(Permits, base.BaseTestCase):
    """Ironic deploys one node at a time."""

    def test_a_deploy_that_there_is_no_room_for_has_not_begun(self):
        ironic = server.Ironic()
        self.addCleanup(ironic.close)
        ironic.start(delay=5, max_deploys=1)
        opened = make_driver(ironic.url)
        self.addCleanup(opened.close)
        for number in range(2):
            ironic.enrol(f'node-{number}', 'CUSTOM_X')
        specs = [driver.DeploySpec(str(uuid.uuid4()), 'web', 'image',
                                   {'CUSTOM_X': 1}) for _ in range(2)]
        first, second = [opened.claim(spec,
                                      self.permit(1)).uuid for spec in specs]
        opened.deploy(first, specs[0], self.permit(1))
        self.assertRaises(driver.NodeBusy, opened.deploy, second, specs[1],
                          self.permit(1))
        ironic.wait_for(first, provision_state='active')
        opened.deploy(second, specs[1], self.permit(1))


class TestShortPages(Permits, base.BaseTestCase):
    """Ironic sends fewer nodes than it is asked for."""

    def test_a_page_of_ours_is_full_all_the_same(self):
        ironic = server.Ironic()
        self.addCleanup(ironic.close)
        ironic.start(max_limit=2)
        uuids = sorted(ironic.enrol(f'node-{number}', 'CUSTOM_X')
                       for number in range(6))
        for node_uuid in uuids[1:]:
            ironic.put_to_use(node_uuid, 'image')
        for node_uuid in uuids[2:4]:
            ironic.patch(node_uuid, protected=True)
        opened = make_driver(ironic.url)
        self.addCleanup(opened.close)
        for page, expected in (
                (opened.nodes(), uuids), (opened.nodes(limit=5), uuids[:5]),
                (opened.nodes(marker=uuids[0], limit=4), uuids[1:5]),
                (opened.manageable(), [uuids[1], *uuids[4:]]),
                (opened.manageable(limit=2), [uuids[1], uuids[4]]),
                (opened.manageable(marker=uuids[1], limit=1), [uuids[4]])):
            self.assertEqual(expected, [node.uuid for node in page])
        ironic.remove(uuids[1])
        self.assertEqual(uuids[4:], [
            node.uuid for node in opened.manageable(marker=uuids[1])])


class TestLogins(Permits, base.BaseTestCase):

    def test_a_password_is_asked_for_where_ironic_wants_one(self):
        secret = bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()
        ironic = server.Ironic(users=f'mogan:{secret}\n')
        self.addCleanup(ironic.close)
        ironic.auth = ('mogan', 'secret')
        ironic.start()
        resource_class = server.some_class()
        node_uuid = ironic.enrol('node-1', resource_class)
        spec = driver.DeploySpec(str(uuid.uuid4()), 'web', 'image',
                                 {resource_class: 1})
        for password, error in (('wrong', driver.Unavailable),
                                ('secret', None)):
            opened = make_driver(ironic.url, auth_type='http_basic',
                                 username='mogan', password=password)
            self.addCleanup(opened.close)
            if error:
                self.assertRaises(error, opened.claim, spec, self.permit(1))
                self.assertRaises(error, opened.nodes)
            else:
                self.assertEqual(node_uuid, opened.claim(spec,
                                                         self.permit(1)).uuid)


class TestOptions(base.BaseTestCase):

    def test_one_that_is_no_good_is_named(self):
        for values, word in (
                ({'idle_timeout': 60.0}, 'idle_timeout'),
                ({'lease': 30.0}, 'three times'),
                ({'timeout': 0}, 'timeout'), ({'timeout': -1}, 'timeout'),
                ({'cafile': '/none'}, 'cafile'),
                ({'cafile': __file__}, 'cafile'),
                ({'certfile': '/none'}, 'certfile'),
                ({'auth_type': ''}, 'auth_type is not set')):
            error = self.assertRaises(
                ValueError, make_driver, 'http://127.0.0.1:1', **values)
            self.assertIn(word, str(error))
