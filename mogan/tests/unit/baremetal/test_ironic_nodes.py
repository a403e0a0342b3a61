# SPDX-License-Identifier: Apache-2.0
"""Ironic's nodes and answers in the words of every driver."""

import dataclasses
import json

from oslotest import base

from mogan.baremetal import driver
from mogan.baremetal.driver import Availability, PowerTarget
from mogan.baremetal.ironic import nodes, responses

ORDER = driver.DeploySpec('3f4a1c00-7a19-4ef3-8f6e-b5b3a5f1a001', 'Web 1!',
                          'an-image', {'CUSTOM_METAL': 1}, ('CUSTOM_FAST',),
                          metadata={'role': 'web'})


def _node(**values):
    return dict.fromkeys(nodes.SHOWN) | {
        'uuid': 'a-node', 'provision_state': 'active', 'protected': False,
        'maintenance': False, 'traits': []} | values


class TestView(base.BaseTestCase):

    def test_states_have_their_words(self):
        for state, availability in (
                ('available', Availability.AVAILABLE),
                ('wait call-back', Availability.DEPLOYING),
                ('clean wait', Availability.UNDEPLOYING),
                ('deploy failed', Availability.FAILED),
                ('rescue', Availability.SERVICING),
                ('manageable', Availability.UNAVAILABLE),
                ('a state that is yet to come', Availability.UNAVAILABLE)):
            node = nodes.view(_node(provision_state=state))
            self.assertIs(availability, node.availability, state)

    def test_a_power_change_that_is_not_known_is_one_all_the_same(self):
        self.assertIs(PowerTarget.SOFT_OFF, nodes.view(
            _node(target_power_state='soft power off')).power_target)
        self.assertTrue(nodes.view(
            _node(target_power_state='half on')).busy)

    def test_a_node_without_a_name_is_called_by_its_uuid(self):
        self.assertEqual('a-node', nodes.view(_node()).name)


class TestOrder(base.BaseTestCase):

    def test_the_root_disk_is_the_node_s_but_for_a_gigabyte(self):
        images = nodes.Images('http://images/{image_uuid}.raw', 'partition')
        self.assertEqual(
            {'display_name': 'Web 1!', 'root_gb': 99,
             'image_source': 'http://images/an-image.raw',
             'image_type': 'partition', 'traits': ['CUSTOM_FAST']},
            nodes.instance_info(ORDER, images, {'local_gb': '100'}))
        for properties in (None, {}, {'local_gb': 'much'}, {'local_gb': 1}):
            self.assertNotIn('root_gb', nodes.instance_info(
                ORDER, images, properties))

    def test_an_image_on_a_web_server_has_its_checksum_there(self):
        images = nodes.Images('http://images/{image_uuid}.raw', None,
                              'http://images/{image_uuid}.sha256')
        self.assertEqual('http://images/an-image.sha256', nodes.instance_info(
            ORDER, images, {})['image_checksum'])

    def test_without_an_image_there_is_nothing_to_deploy(self):
        spec = dataclasses.replace(ORDER, image_uuid=None)
        for images in (nodes.Images(), nodes.Images('http://one.raw')):
            self.assertRaises(driver.Refused, nodes.instance_info, spec,
                              images, {})

    def test_how_it_boots_is_the_node_s(self):
        for capabilities, expected in (
                ('cpu_vt:true, boot_mode:uefi', {'boot_mode': 'uefi'}),
                ('boot_mode:bios,disk_label:gpt,boot_option:local', {
                    'boot_mode': 'bios', 'disk_label': 'gpt',
                    'boot_option': 'local'}),
                ('secure_boot:true', None), ('uefi', None), ('', None),
                (None, None)):
            self.assertEqual(expected, nodes.instance_info(
                ORDER, nodes.Images(), {'capabilities': capabilities}).get(
                    'capabilities'), capabilities)

    def test_a_flavor_asks_for_secure_boot(self):
        spec = dataclasses.replace(
            ORDER, traits=['COMPUTE_SECURITY_UEFI_SECURE_BOOT'])
        self.assertEqual(
            {'boot_mode': 'uefi', 'secure_boot': 'true'},
            nodes.instance_info(spec, nodes.Images(), {
                'capabilities': 'boot_mode:uefi,secure_boot:true'})[
                    'capabilities'])

    def test_partitions_are_as_they_were_asked_for(self):
        spec = dataclasses.replace(
            ORDER, partitions={'root_gb': 40, 'swap_mb': 4096})
        info = nodes.instance_info(spec, nodes.Images(),
                                   {'local_gb': '100'})
        self.assertEqual((40, 4096), (info['root_gb'], info['swap_mb']))
        self.assertNotIn('ephemeral_gb', info)

    def test_a_node_has_to_have_room_for_the_partitions(self):
        wanted = {'root_gb': 90, 'ephemeral_gb': 8, 'swap_mb': 1025}
        for properties, expected in (
                ({'local_gb': 101}, True), ({'local_gb': '100'}, False),
                ({'local_gb': 'much'}, True), ({}, True), (None, True)):
            self.assertIs(expected, nodes.holds(properties, wanted),
                          properties)

    def test_a_node_suits_by_traits_zone_and_disk(self):
        node = {'traits': ['CUSTOM_FAST'], 'properties': {
            'availability_zone': 'zone-1', 'local_gb': 100}}
        for changes, expected in (
                ({}, True), ({'availability_zone': 'zone-1'}, True),
                ({'availability_zone': 'zone-2'}, False),
                ({'traits': ['CUSTOM_SLOW']}, False),
                ({'partitions': {'root_gb': 100}}, False)):
            self.assertIs(expected, nodes.suits(
                node, dataclasses.replace(ORDER, **changes)), changes)

    def test_stars_alone_hide_a_value(self):
        for value, expected in (
                ('******', True), ('***', True), ('a***', False),
                ('', False), (None, False), ({'a': '***'}, False)):
            self.assertIs(expected, nodes.masked(value), value)

    def test_what_is_no_text_is_no_zone(self):
        for value in ('', None, 1, ['a']):
            self.assertIsNone(nodes.zone({'availability_zone': value}))


class TestAnswers(base.BaseTestCase):

    def _answer(self, status, text):
        fault = json.dumps({'faultcode': 'Client', 'faultstring': text,
                            'debuginfo': None})
        return responses.Answer(
            status, json.dumps({'error_message': fault}).encode())

    def test_changes_get_the_error_that_the_answer_stands_for(self):
        for status, text, error in (
                (400, 'in maintenance mode', driver.Refused),
                (401, 'who are you', driver.Unavailable),
                (403, 'Node n is protected', driver.Refused),
                (404, 'Node n could not be found.', driver.NotOurs),
                (406, 'too new', driver.Unavailable),
                (409, 'Node n is locked by host h', driver.NodeBusy),
                (409, 'not while a state transition is in progress',
                 driver.NodeBusy),
                (409, 'Node n can only be made protected in', (
                    driver.NotProtectable)),
                (409, 'Node n is associated with i', driver.Refused),
                (408, 'too late', driver.OutcomeUnknown),
                (421, 'not here', driver.Unavailable),
                (425, 'too early', driver.Unavailable),
                (429, 'slowly', driver.Unavailable),
                (500, 'oops', driver.OutcomeUnknown),
                (502, 'bad gateway', driver.OutcomeUnknown),
                (503, 'due to lack of free conductor workers', (
                    driver.NodeBusy)),
                (503, 'The concurrent action limit has been reached.',
                 driver.NodeBusy),
                (503, 'no server', driver.OutcomeUnknown),
                (302, 'elsewhere', driver.Unavailable)):
            raised = self.assertRaises(error, responses.check_write,
                                       self._answer(status, text))
            self.assertIn(text, str(raised))

    def test_a_proxy_that_knows_nothing_is_no_node_that_is_gone(self):
        answer = responses.Answer(404, b'<html>could not be found</html>')
        for check in (responses.check_read, responses.check_write):
            self.assertRaises(driver.Unavailable, check, answer)

    def test_what_is_not_json_is_not_ironic(self):
        for body in (b'<html>', b'[]', b'', b'[' * 100_000, b'\xff',
                     b'{"nodes": [{"uui'):
            self.assertRaises(driver.Unavailable,
                              responses.Answer(200, body).json)

    def test_nor_is_what_lacks_the_fields_that_were_asked_for(self):
        query = {'fields': 'uuid,name'}
        node = b'{"uuid": "a", "name": null}'
        for path, good, bad in (
                ('/v1/nodes/a', node, (b'{}', b'{"uuid": "a"}',
                                       b'{"nodes": []}')),
                ('/v1/nodes', b'{"nodes": [%b]}' % node, (
                    b'{}', node, b'{"nodes": null}', b'{"nodes": {}}',
                    b'{"nodes": [%b, {}]}' % node, b'{"nodes": ["a"]}'))):
            responses.found(responses.Answer(200, good), path, query)
            for body in bad:
                self.assertRaises(
                    driver.Unavailable, responses.found,
                    responses.Answer(200, body), path, query)
