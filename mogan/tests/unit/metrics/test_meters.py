# SPDX-License-Identifier: Apache-2.0
"""The metrics, and their names."""

import datetime
import json
import pathlib
import re

import fixtures
import prometheus_client
import yaml
from oslotest import base

import mogan
from mogan import exception, states
from mogan.api import openapi, root
from mogan.api.middleware import metrics
from mogan.baremetal import driver
from mogan.engine.observer import Observer
from mogan.metrics import meters, rows
from mogan.tests.permits import Permits

ROOT = pathlib.Path(mogan.__file__).parents[1]
_NOW = datetime.datetime.now(datetime.UTC)
_AGE = datetime.timedelta(seconds=60)
_NAME = re.compile(r'\bmogan_[a-z_]+')


def value(name, **labels):
    """Return a sample of the metrics of this process."""
    return prometheus_client.REGISTRY.get_sample_value(name, labels) or 0


def families():
    """Return every family, by the prefix of its samples."""
    row = type('Row', (), {'verb': 'lock', 'actions': 2,
                           'now': _NOW, 'since': _NOW - _AGE})
    found = {family.name: family for meter in meters.ALL
             for family in meter.collect()}
    found |= {family.name: family for family in rows._unfinished([row])}
    found |= {family.name: family
              for family in rows.Build('api').collect()}
    return found


def every_sample_name():
    names = set()
    for family in families().values():
        for suffix in {'histogram': ('_bucket', '_count', '_sum'),
                       'counter': ('_total',)}.get(family.type, ('',)):
            names.add(family.name + suffix)
    return names | {'mogan_database_answers', 'mogan_rows_not_understood',
                    'mogan_unsent_notifications_events',
                    'mogan_unsent_notifications_seconds'}


class TestRoutes(base.BaseTestCase):

    def test_every_route_is_known_by_its_template(self):
        templates = [route.path for route in openapi.routes(
            root.RootController)]
        routes = metrics.Routes(templates)
        for template in templates:
            path = re.sub(r'{[^}]*}', '7f1d', template)
            self.assertEqual(template, routes.of(path))

    def test_what_callers_make_up_is_one(self):
        routes = metrics.Routes(['/', '/v1/instances/{uuid}/states/lock'])
        for path in ('/x', '/v1', '/v1/instances/x/y',
                     '/v1/instances/a/states/lock/b',
                     '/v1/instances/{}/states/{}'):
            self.assertEqual('other', routes.of(path), path)
        self.assertEqual('/', routes.of(''))
        self.assertEqual('/v1/instances/{uuid}/states/lock',
                         routes.of('/v1/instances/a/states/lock/'))


class TestRequests(base.BaseTestCase):

    def ask(self, method, path, error=None):
        def application(environ, start_response):
            if error:
                environ['mogan.error'] = error
            start_response('409 Conflict', [])
            return []

        metrics.RequestMetrics(application)(
            {'REQUEST_METHOD': method, 'PATH_INFO': path}, lambda *_: None)

    def test_a_request_is_counted_under_its_route(self):
        labels = {'method': 'GET', 'route': '/v1/flavors', 'status': '409'}
        before = value('mogan_request_seconds_count', **labels)
        self.ask('GET', '/v1/flavors')
        self.assertEqual(before + 1,
                         value('mogan_request_seconds_count', **labels))

    def test_a_refusal_because_of_a_lock_is_counted(self):
        labels = {'method': 'other', 'route': 'other'}
        before = value('mogan_lock_refusals_total', **labels)
        locked = exception.InstanceLocked.__new__(exception.InstanceLocked)
        self.ask('BREW', '/x', locked)
        self.ask('BREW', '/x', exception.NotFound())
        self.assertEqual(before + 1, value('mogan_lock_refusals_total',
                                           **labels))


class TestEngine(Permits, base.BaseTestCase):

    def test_calls_of_the_driver_are_counted_by_their_outcome(self):
        answers = [None, driver.NodeBusy('x'), driver.OutcomeUnknown('x')]

        class Some(driver.Driver):
            from_conf = classmethod(lambda *_: None)

            def seal(self, instance_uuid, permit):
                if (answer := answers.pop(0)) is not None:
                    raise answer

        for name in driver.Driver.__abstractmethods__ - {'from_conf',
                                                         'seal'}:
            setattr(Some, name, None)
        Some.__abstractmethods__ = frozenset()
        hardware = Some()
        meters.watch(hardware)
        outcomes = ('done', 'NodeBusy', 'unknown')

        def counts():
            return [value('mogan_driver_call_seconds_count', call='seal',
                          outcome=outcome) for outcome in outcomes]

        before = counts()
        permit = self.permit(1)
        hardware.seal('x', permit)
        self.assertRaises(driver.NodeBusy, hardware.seal, 'x', permit)
        self.assertRaises(driver.OutcomeUnknown, hardware.seal, 'x', permit)
        self.assertEqual([count + 1 for count in before], counts())

    def test_an_engine_tells_of_all_that_an_observer_hears(self):
        heard = meters.EngineObserver()
        for name in vars(Observer):
            if not name.startswith('_'):
                self.assertIn(name, vars(meters.EngineObserver))
        labels = {'verb': 'lock', 'outcome': 'done'}
        before = value('mogan_action_seconds_count', **labels)
        heard.ended('lock', 'done', 0.2)
        self.assertEqual(before + 1, value('mogan_action_seconds_count',
                                           **labels))
        lost = value('mogan_claims_lost_total', reason='ClaimLost')
        heard.claim_lost('ClaimLost')
        self.assertEqual(lost + 1, value('mogan_claims_lost_total',
                                         reason='ClaimLost'))


class TestRows(base.BaseTestCase):

    def test_every_verb_has_a_figure(self):
        found = families()
        for name, amount in (
                ('mogan_unfinished_actions', 2),
                ('mogan_oldest_unfinished_action_seconds', 60)):
            samples = {sample.labels['verb']: sample.value
                       for sample in found[name].samples}
            self.assertEqual({verb.value for verb in states.Verb},
                             set(samples))
            self.assertEqual(amount, samples['lock'])
            self.assertEqual(0, samples['unlock'])

    def test_a_database_that_is_away_is_told_of_and_asked_again(self):
        self.useFixture(fixtures.FakeLogger())
        asked = []

        class Away:
            gate = None

            def read(self, query, /, **values):
                asked.append(self)
                raise exception.DatabaseUnavailable

        for kept, times in ((60, 1), (0, 2)):
            del asked[:]
            found = rows.Rows(Away(), kept)
            for _ in range(2):
                [family] = found.collect()
                self.assertEqual(('mogan_database_answers', 0), (
                    family.name, family.samples[0].value))
            self.assertEqual(times, len(asked))


class TestSamples(base.BaseTestCase):
    """The samples shipped with the service name metrics that exist."""

    def assert_known(self, text, where):
        used = set(_NAME.findall(text))
        self.assertTrue(used, where)
        self.assertLessEqual(used, every_sample_name(), where)

    def test_the_dashboard_shows_figures_that_are_there(self):
        path = ROOT / 'etc/grafana/mogan.json'
        board = json.loads(path.read_text(encoding='utf-8'))
        ids = [panel['id'] for panel in board['panels']]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in board['panels']:
            for target in panel['targets']:
                self.assert_known(target['expr'], panel['title'])

    def test_the_alerts_are_about_figures_that_are_there(self):
        path = ROOT / 'etc/prometheus/mogan-alerts.yml'
        groups = yaml.safe_load(path.read_text(encoding='utf-8'))['groups']
        for group in groups:
            for rule in group['rules']:
                self.assertLessEqual({'alert', 'expr', 'annotations'},
                                     set(rule))
                if 'up{' not in rule['expr']:
                    self.assert_known(rule['expr'], rule['alert'])

    def test_the_guide_names_each_figure(self):
        text = (ROOT / 'doc/source/admin/monitoring.rst').read_text(
            encoding='utf-8')
        for name in every_sample_name():
            shown = re.sub('_(bucket|sum|count)$', '', name)
            self.assertIn(f'``{shown}``', text)
        self.assertLessEqual(
            set(_NAME.findall(text)) - every_sample_name(),
            set(families()) | {'mogan_database', 'mogan_broker'})
