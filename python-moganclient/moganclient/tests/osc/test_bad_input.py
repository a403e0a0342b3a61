# SPDX-License-Identifier: Apache-2.0
"""Bad input is answered with one line."""

import concurrent.futures
import pathlib

import yaml

from moganclient.tests.osc import base

CASES = yaml.safe_load(pathlib.Path(__file__).with_name(
    'bad_input.yaml').read_text(encoding='utf-8'))


class TestBadInput(base.CommandTest):

    def run_case(self, case):
        words = case['words'].format(endpoint=self.service.endpoint).split()
        if case.get('empty'):
            words.append('')
        more = None
        if 'endpoint' in case:
            more = {'OS_BAREMETAL_COMPUTE_ENDPOINT_OVERRIDE':
                    self.service.endpoint + case['endpoint']}
            return self.run_openstack(*words, cloud=None, more=more | {
                'OS_AUTH_TYPE': 'http_basic',
                'OS_USERNAME': 'admin',
                'OS_PASSWORD': self.service.auth()['password']})
        return self.run_openstack(*words, cloud=case.get('cloud', 'mogan'))

    def test_every_fault_is_told_in_one_line_and_by_the_exit_status(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for case, done in zip(CASES, pool.map(self.run_case, CASES),
                                  strict=True):
                self.assertEqual((case.get('status', 1), ''),
                                 (done.status, done.out), case['words'])
                # argparse shows the usage above its line.
                lines = done.err.splitlines()[
                    -1 if case.get('status') else 0:]
                self.assertEqual(1, len(lines), done.err)
                self.assertRegex(lines[0], f'^{case["line"]}$')

    def test_a_trace_is_shown_with_debug_only(self):
        done = self.run_openstack('--debug', 'baremetalcompute', 'instance',
                                  'show', 'nosuch')
        self.assertEqual(1, done.status)
        self.assertIn('Traceback', done.err)
