# SPDX-License-Identifier: Apache-2.0
"""The config drive of an instance."""

import dataclasses

from oslotest import base

from mogan.baremetal import configdrive, driver

ORDER = driver.DeploySpec('3f4a1c00-7a19-4ef3-8f6e-b5b3a5f1a001', 'Web 1!',
                          'an-image', metadata={'role': 'web'})


class TestConfigDrive(base.BaseTestCase):

    def drive(self, **changes):
        return configdrive.config_drive(
            dataclasses.replace(ORDER, **changes))

    def test_it_tells_the_instance_who_it_is(self):
        self.assertEqual({'meta_data': {
            'uuid': ORDER.instance_uuid, 'name': 'Web 1!',
            'hostname': 'web-1', 'meta': {'role': 'web'}}}, self.drive())
        self.assertEqual('zone-1', self.drive(availability_zone='zone-1')[
            'meta_data']['availability_zone'])

    def test_it_has_the_keys_in_both_forms(self):
        data = self.drive(ssh_keys={'ann': 'ssh-rsa A'})['meta_data']
        self.assertEqual({'ann': 'ssh-rsa A'}, data['public_keys'])
        self.assertEqual(
            [{'name': 'ann', 'type': 'ssh', 'data': 'ssh-rsa A'}],
            data['keys'])

    def test_it_has_the_user_data_as_they_are(self):
        self.assertEqual('#!/bin/sh\nhalt\n', self.drive(
            user_data='#!/bin/sh\nhalt\n')['user_data'])

    def test_a_name_that_no_host_can_have_gives_way_to_the_uuid(self):
        self.assertEqual(ORDER.instance_uuid, configdrive.host_name(
            dataclasses.replace(ORDER, name='!?')))

    def test_an_order_that_is_written_down_has_no_secrets(self):
        text = repr(dataclasses.replace(
            ORDER, user_data='marker', ssh_keys={'ann': 'marker'}))
        self.assertNotIn('marker', text)
