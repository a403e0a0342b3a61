# SPDX-License-Identifier: Apache-2.0
import itertools
import tracemalloc

from moganclient import exceptions
from moganclient.tests import server
from moganclient.tests.unit import base

SIZE = 100
MEMBERS = 10_000


class TestLists(base.ServerTest):
    """The service has 10,000 instances, in pages of 100."""

    def answer(self, request):
        first = int(request.query.get('marker', -1)) + 1
        size = int(request.query.get('limit', SIZE))
        numbers = range(first, min(first + size, MEMBERS))
        page = {'instances': [
            base.instance(uuid=str(number), name=f'web-{number}',
                          description='x' * 100) for number in numbers]}
        if numbers[-1] + 1 < MEMBERS:
            # As the service was addressed behind a proxy.
            page['next'] = ('http://inside.example/v1/instances/detail'
                            f'?limit={size}&marker={numbers[-1]}')
        return server.Answer(200, page)

    def test_nothing_is_asked_before_somebody_looks(self):
        members = self.service.instances()
        self.assertEqual([], self.asked())
        next(members)
        self.assertEqual([('GET', '/v1/instances/detail')], self.asked())

    def test_a_page_is_asked_for_with_its_first_member(self):
        members = self.service.instances(status='active')
        list(itertools.islice(members, 2 * SIZE))
        self.assertEqual(2, len(self.asked()))
        next(members)
        self.assertEqual(3, len(self.asked()))
        self.assertEqual({'status': 'active'},
                         self.server.requests[0].query)

    def test_every_member_comes_once_and_no_page_is_asked_in_vain(self):
        names = [one.name for one in self.service.instances(limit=1000)]
        self.assertEqual([f'web-{number}' for number in range(MEMBERS)],
                         names)
        self.assertEqual(10, len(self.asked()))

    def test_many_pages_take_no_more_memory_than_one(self):
        members = self.service.instances()
        list(itertools.islice(members, 2 * SIZE))
        # The server's list of requests is not what is measured.
        self.server.requests = _Forgetful()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        peaks = []
        for _ in range(7):
            for _ in itertools.islice(members, 5 * SIZE):
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
        self.assertLess(max(peaks[1:]), min(peaks[1:]) * 1.5, peaks)
        self.assertLess(max(peaks), 8 << 20)

    def test_values_are_written_as_the_service_reads_them(self):
        list(itertools.islice(self.service.instances(
            details=False, all_projects=True, locked=False, name=None,
            fields=['uuid', 'name']), 1))
        [request] = self.server.requests
        self.assertEqual(('/v1/instances', {
            'all_tenants': 'true', 'locked': 'false',
            'fields': 'uuid,name'}), (request.path, request.query))

    def test_a_service_that_goes_in_circles_is_left(self):
        page = {'instances': [base.instance()],
                'next': 'http://x/v1/instances?marker=1'}
        self.answers[:] = [server.Answer(200, page)] * 5
        self.assertRaises(exceptions.ClientException, list,
                          self.service.instances())
        self.assertEqual(2, len(self.asked()))


class _Forgetful(list):
    def append(self, _):
        """Keep nothing."""


class TestFind(base.ServerTest):

    def answer(self, request):
        if request.path.endswith('detail'):
            wanted = request.query['name']
            return server.Answer(200, {'instances': [
                base.instance(uuid=uuid, name=name)
                for uuid, name in (('1', 'web'), ('2', 'web-2'), ('3', 'db'),
                                   ('4', 'db'))
                if wanted in name]})
        if request.path.endswith(base.UUID):
            return server.Answer(200, base.instance())
        return server.refusal(404)

    def test_a_uuid_is_asked_for(self):
        self.assertEqual('web', self.service.find_instance(base.UUID).name)
        self.assertEqual(1, len(self.asked()))

    def test_a_name_is_looked_for_in_full(self):
        self.assertEqual('1', self.service.find_instance('web').id)
        self.assertEqual(1, len(self.asked()))

    def test_a_name_may_look_like_a_uuid(self):
        name = base.UUID.replace('3', '4')
        self.assertIsNone(self.service.find_instance(name))
        self.assertEqual(2, len(self.asked()))

    def test_several_of_a_name_are_named(self):
        error = self.assertRaises(exceptions.NotUnique,
                                  self.service.find_instance, 'db')
        self.assertEqual(['3', '4'], [one.id for one in error.candidates])
        self.assertIn('3, 4', str(error))

    def test_none_is_none_or_an_error(self):
        self.assertIsNone(self.service.find_instance('mail'))
        self.assertRaises(exceptions.NotFound, self.service.find_instance,
                          'mail', ignore_missing=False)

    def test_all_projects_can_be_looked_through(self):
        self.service.find_instance('web', all_projects=True)
        self.assertEqual('true', self.server.requests[0].query['all_tenants'])
