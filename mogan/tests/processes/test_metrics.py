# SPDX-License-Identifier: Apache-2.0
"""The metrics of real processes, as Prometheus reads them."""

import os
import signal

import psutil
from prometheus_client import parser

from mogan.tests.processes.test_services import ServicesTest
from mogan.tests.support import client
from mogan.tests.support.processes import eventually, free_port

UUID = '00000000-0000-0000-0000-000000000000'


class MetricsTest(ServicesTest):
    """The services with ports for metrics, and for their health."""

    def setUp(self):
        super().setUp()
        self.ports = {'api': free_port(), 'engine': free_port()}
        with self.config.open('a') as file:
            file.write('[metrics]\ncache_time = 0\n' + ''.join(
                f'{name}_port = {port}\n'
                for name, port in self.ports.items())
                + '[healthcheck]\nbackends = mogan_database,mogan_broker\n')

    def get(self, service, path):
        try:
            answer = client.ask(self.ports[service], 'GET', path)
        except OSError:
            return None, ''
        return answer.status, answer.body.decode()

    def value(self, service, name, /, **labels):
        """Return the sum of the samples with these labels."""
        _, text = self.get(service, '/metrics')
        return sum(
            sample.value
            for family in parser.text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
            and labels.items() <= sample.labels.items())


class TestMetrics(MetricsTest):

    def setUp(self):
        super().setUp()
        self.assertEqual(0, self.run_command('dbsync', 'upgrade').returncode)
        self.api = self.start('api')

    def requests(self):
        return self.value('api', 'mogan_request_seconds_count', method='GET',
                          route='/v1/instances/{instance_uuid}',
                          status='404')

    def test_the_workers_of_the_api_count_together(self):
        eventually(lambda: self.get('api', '/metrics')[0],
                   until=lambda status: status == 200, within=90)
        children = psutil.Process(self.api.pid).children()
        self.assertEqual(2, len(children))
        for number in range(1, 41):
            # Each on a connection of its own: either worker gets some.
            answer = self.request('admin', 'GET', f'/v1/instances/{UUID}')
            self.assertEqual(404, answer.status)
            self.assertEqual(number, self.requests())
        self.assertEqual(1, self.value('api', 'mogan_build_info',
                                       service='api'))
        self.assertEqual(1, self.value('api', 'mogan_database_answers'))
        # Whoever answers may end: what was counted is kept.
        [holder] = [child for child in children
                    if any(one.laddr.port == self.ports['api']
                           for one in child.net_connections('tcp')
                           if one.status == psutil.CONN_LISTEN)]
        os.kill(holder.pid, signal.SIGKILL)
        eventually(self.requests, until=lambda seen: seen == 40, within=90)

    def test_the_port_says_whether_the_service_is_well(self):
        self.start('engine')
        for service in self.ports:
            _, text = eventually(
                lambda service=service: self.get(service, '/healthcheck'),
                until=lambda seen: seen[0] == 200, within=90)
            self.assertIn('The database answers', text)
            self.assertIn('The broker answers', text)
            self.assertEqual(404, self.get(service, '/v1')[0])

    def test_the_work_of_the_engines_is_counted(self):
        self.start('engine')
        eventually(self.answers, until=bool, within=60)
        uuid = self.create()
        self.until(uuid, status='active')
        path = f'/v1/instances/{uuid}'
        self.request('admin', 'PUT', f'{path}/states/lock', {'lock': None})
        self.until(uuid, lock_state='locked')
        self.assertEqual(409, self.request('demo', 'DELETE', path).status)
        self.assertEqual(1, self.value(
            'api', 'mogan_lock_refusals_total', method='DELETE',
            route='/v1/instances/{instance_uuid}'))
        for verb in ('create', 'lock'):
            self.assertEqual(1, self.value(
                'engine', 'mogan_action_seconds_count', verb=verb,
                outcome='done'))
            self.assertEqual(0, self.value(
                'engine', 'mogan_unfinished_actions', verb=verb))
        for call in ('deploy', 'protect'):
            self.assertEqual(1, self.value(
                'engine', 'mogan_driver_call_seconds_count', call=call,
                outcome='done'))
