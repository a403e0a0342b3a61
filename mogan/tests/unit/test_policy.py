# SPDX-License-Identifier: Apache-2.0
"""Policy rules, and the files that override them."""

import io
import itertools
from unittest import mock

import fixtures
from oslo_config import cfg
from oslo_policy import _checks, generator, opts
from oslo_policy import policy as oslo_policy
from oslotest import base

from mogan import exception, policies, policy
from mogan.context import RequestContext
from mogan.policy_files import PolicyFileError
from mogan.tests.support.files import temporary_directory

OWN = {'project_id': 'own'}
FOREIGN = {'project_id': 'foreign'}
READS = {'mogan:instance:get_all', 'mogan:instance:get_one',
         'mogan:instance:get_states', 'mogan:instance:get_actions'}
WRITES = {'mogan:instance:create', 'mogan:instance:update',
          'mogan:instance:delete', 'mogan:instance:set_power_state',
          'mogan:instance:rebuild'}
ANYWHERE = {'mogan:flavor:get_all', 'mogan:flavor:get_one',
            'mogan:availability_zone:get_all', 'mogan:keypair:get_all',
            'mogan:keypair:get_one'}
OWN_KEYS = {'mogan:keypair:create', 'mogan:keypair:delete'}
EVERY = {rule.name for rule in policies.list_rules()}


def caller(*roles, **values):
    return RequestContext(**{'user_id': 'user', 'project_id': 'own',
                             'roles': list(roles)} | values)


class PolicyTest(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.file = temporary_directory(self) / 'policy.yaml'
        self.conf = cfg.ConfigOpts()
        self.conf([], default_config_files=[], default_config_dirs=[])
        opts.set_defaults(self.conf, str(self.file))

    def allowed(self, rules, context, target):
        return {rule for rule in EVERY if rules.check(context, rule, target)}


class TestPersonas(PolicyTest):

    def setUp(self):
        super().setUp()
        self.rules = policy.Policy(self.conf)

    def test_an_admin_may_do_everything_in_every_project(self):
        for target in (OWN, FOREIGN, {}):
            self.assertEqual(EVERY, self.allowed(
                self.rules, caller('admin'), target))

    def test_a_member_works_in_the_own_project_only(self):
        member = caller('member', 'reader')
        self.assertEqual(READS | WRITES | ANYWHERE | OWN_KEYS,
                         self.allowed(self.rules, member, OWN))
        for target in (FOREIGN, {}):
            self.assertEqual(ANYWHERE | OWN_KEYS,
                             self.allowed(self.rules, member, target))

    def test_a_reader_reads_in_the_own_project_only(self):
        reader = caller('reader')
        self.assertEqual(READS | ANYWHERE,
                         self.allowed(self.rules, reader, OWN))
        self.assertEqual(ANYWHERE,
                         self.allowed(self.rules, reader, FOREIGN))

    def test_other_roles_may_do_nothing(self):
        for roles in ((), ('manager',), ('service',)):
            self.assertEqual(set(), self.allowed(
                self.rules, caller(*roles), OWN))

    def test_nobody_without_a_project_may_do_anything(self):
        # For oslo.policy two missing projects are the same one.
        for project in (None, ''):
            context = caller('admin', 'member', 'reader', project_id=project)
            self.assertEqual(set(), self.allowed(
                self.rules, context, {'project_id': project}))

    def test_a_refusal_says_what_is_missing(self):
        for context, kind, words in (
                (caller('reader'), exception.Forbidden,
                 'mogan:instance:lock'),
                (caller('admin', project_id=None), exception.Forbidden,
                 'for no project'),
                (caller('admin', system_scope='all'), exception.Forbidden,
                 'project-scoped token'),
                (caller('admin', domain_id='domain'), exception.Forbidden,
                 'project-scoped token'),
                (RequestContext(), exception.Unauthorized, 'credentials')):
            error = self.assertRaises(
                kind, self.rules.authorize, context, 'mogan:instance:lock',
                {})
            self.assertIn(words, error.message)

    def test_a_rule_that_nobody_declared_is_a_fault_of_the_code(self):
        for ask in (self.rules.check, self.rules.authorize):
            self.assertRaises(oslo_policy.PolicyNotRegistered, ask,
                              caller('admin'), 'mogan:instance:sing', {})


class TestRules(PolicyTest):

    def test_every_rule_is_documented_for_projects(self):
        for rule in policies.list_rules():
            self.assertEqual(['project'], rule.scope_types, rule.name)
            self.assertTrue(rule.description, rule.name)
            self.assertTrue(rule.operations, rule.name)

    def test_the_sample_can_be_generated(self):
        sample = io.StringIO()
        for rule in policies.list_rules():
            sample.write(generator._format_rule_default_yaml(rule))
        for name in EVERY:
            self.assertIn(f'#"{name}"', sample.getvalue())

    def test_a_rule_is_known_to_look_at_its_target(self):
        self.file.write_text(
            '"my_friend": "project_id:%(project_id)s"\n'
            '"mogan:instance:lock": "role:manager and rule:my_friend"\n'
            '"mogan:instance:unlock": "not rule:my_friend"\n'
            '"mogan:instance:delete": "role:admin or role:%(name)s"\n'
            '"mogan:flavor:create": "http://example.org/may"\n'
            '"mogan:flavor:delete": "rule:my_own"\n'
            '"my_own": "role:x or @"\n'
            '"mogan:flavor:update": "!"\n')
        rules = policy.Policy(self.conf)
        for name, expected in (
                ('instance:lock', True), ('instance:unlock', True),
                ('instance:delete', True), ('flavor:create', True),
                ('flavor:delete', False), ('flavor:update', False),
                ('instance:get_one', True), ('node:get_all', False)):
            self.assertIs(expected, rules.needs_target(f'mogan:{name}'),
                          name)

    def test_a_broken_file_stops_the_start(self):
        for broken in ('{', '- a\n- list\n', '[' * 2000, '[]', 'false'):
            self.file.write_text(broken)
            self.assertRaises(PolicyFileError, policy.Policy, self.conf)

    def test_a_rule_that_nobody_declared_needs_no_guess(self):
        rules = policy.Policy(self.conf)
        self.assertRaises(oslo_policy.PolicyNotRegistered,
                          rules.needs_target, 'mogan:instance:sing')


class TestFiles(PolicyTest):
    """`_next_poll` is when the files are looked at again."""

    manager = caller('manager')

    def locks(self, rules):
        rules._next_poll = 0
        return rules.check(self.manager, 'mogan:instance:lock', OWN)

    def write(self, text):
        self.file.write_text(text)

    def test_a_file_counts_from_the_start(self):
        self.write('"mogan:instance:lock": "role:manager"\n')
        self.assertTrue(self.locks(policy.Policy(self.conf)))

    def test_a_file_that_comes_and_changes_is_heard(self):
        rules = policy.Policy(self.conf)
        self.assertFalse(self.locks(rules))
        self.write('"mogan:instance:lock": "role:manager"\n')
        self.assertTrue(self.locks(rules))
        self.assertFalse(rules.needs_target('mogan:instance:lock'))
        self.write('"mogan:instance:lock": '
                   '"role:manager and project_id:%(other)s"\n')
        self.assertFalse(self.locks(rules))
        self.assertTrue(rules.needs_target('mogan:instance:lock'))
        self.write('"mogan:instance:lock": "role:manager" \n')
        self.assertTrue(self.locks(rules))
        self.write('# The defaults.\n')
        self.assertFalse(self.locks(rules))

    def test_a_file_that_goes_or_is_emptied_leaves_the_rules(self):
        log = self.useFixture(fixtures.FakeLogger())
        self.write('"mogan:instance:lock": "role:manager"\n')
        rules = policy.Policy(self.conf)
        for lose in (self.file.unlink, lambda: self.write('')):
            lose()
            for _ in range(2):
                self.assertTrue(self.locks(rules))
            self.assertIn(str(self.file), log.output)
            self.write('"mogan:instance:lock": "role:nobody"\n')
            self.assertFalse(self.locks(rules))
            self.write('"mogan:instance:lock": "role:manager"\n')
            self.assertTrue(self.locks(rules))

    def test_so_does_a_file_of_many(self):
        directory = self.file.parent / 'policy.d'
        directory.mkdir()
        self.conf.set_override('policy_dirs', [str(directory)],
                               'oslo_policy')
        other = directory / 'lock.yaml'
        other.write_text('"mogan:instance:lock": "role:manager"\n')
        hidden = directory / '.lock.yaml.swp'
        hidden.write_text('x')
        rules = policy.Policy(self.conf)
        other.unlink()
        self.assertTrue(self.locks(rules))
        self.write('"mogan:instance:lock": "role:nobody"\n')
        self.assertTrue(self.locks(rules))
        other.write_text('# Nothing.\n')
        hidden.unlink()
        self.assertFalse(self.locks(rules))

    def test_a_file_that_changes_while_it_is_read_is_read_again(self):
        rules = policy.Policy(self.conf)
        load = rules._load

        def emptied():
            self.write('')
            return load()
        self.write('"mogan:instance:lock": "role:manager"\n')
        self.assertTrue(self.locks(rules))
        self.write('"mogan:instance:lock": "role:manager" \n')
        with mock.patch.object(rules, '_load', emptied):
            self.assertTrue(self.locks(rules))
        self.assertTrue(self.locks(rules))
        self.write('"mogan:instance:lock": "role:nobody"\n')
        self.assertFalse(self.locks(rules))

    def test_the_files_are_not_looked_at_for_each_decision(self):
        rules = policy.Policy(self.conf)
        self.write('"mogan:instance:lock": "role:manager"\n')
        rules._next_poll = float('inf')
        self.assertFalse(rules.check(self.manager, 'mogan:instance:lock',
                                     OWN))

    def test_a_broken_file_leaves_the_rules_as_they_were(self):
        self.write('"mogan:instance:lock": "role:manager"\n')
        rules = policy.Policy(self.conf)
        log = self.useFixture(fixtures.FakeLogger())
        for broken in ('{', '- a\n- list\n', 'a: 5\n',
                       'mogan:instance:lock:\n'):
            self.write(broken)
            self.assertTrue(self.locks(rules), broken)
            self.assertFalse(rules.check(
                caller('reader', project_id='foreign'),
                'mogan:instance:lock', OWN))
        self.assertIn('The policy files were not reloaded: '
                      f'{self.file}: line 1: mogan:instance:lock', log.output)

    def test_the_rules_of_a_thread_in_the_middle_stay(self):
        rules = policy.Policy(self.conf)
        old = rules._in_force._enforcer
        self.write('"mogan:instance:lock": "role:manager"\n')
        self.assertTrue(self.locks(rules))
        self.assertIsNot(old, rules._in_force._enforcer)
        self.assertEqual('role:admin', str(old.rules['mogan:instance:lock']))


class TestDecisions(PolicyTest):
    """Those that are remembered."""

    def setUp(self):
        super().setUp()
        decide = policy._Rules._decide
        self.decided = []

        def remember(rules, rule, *rest):
            self.decided.append(rule)
            return decide(rules, rule, *rest)

        self.useFixture(fixtures.MonkeyPatch(
            'mogan.policy._Rules._decide', remember))
        self.rules = policy.Policy(self.conf)

    def check(self, target=None, rule='mogan:instance:get_one', **facts):
        context = RequestContext(**{
            'user_id': 'u', 'project_id': 'p', 'roles': ['member']} | facts)
        return self.rules.check(
            context, rule, {'project_id': 'p'} if target is None else target)

    def test_the_same_question_is_decided_once(self):
        for _ in range(3):
            self.check()
            self.check({'project_id': 'q'})
        self.assertEqual(2, len(self.decided))

    def test_whatever_a_rule_can_speak_of_makes_another_question(self):
        others = {'roles': ['reader'], 'service_roles': ['reader'],
                  'is_admin_project': False}
        self.check()
        for name in RequestContext().to_policy_values():
            before = len(self.decided)
            for _ in range(2):
                self.check(**{name: others.get(name, 'x')})
            self.assertEqual(before + 1, len(self.decided), name)

    def test_no_target_is_not_an_unknown_one(self):
        self.check({})
        self.check({'project_id': None})
        self.assertEqual(2, len(self.decided))

    def test_others_are_asked_each_time(self):
        enforcer = self.rules._in_force._enforcer
        enforcer.rules['mogan:instance:get_one'] = _checks.OrCheck(
            [_checks.RoleCheck('role', 'nobody'), _Changing()])
        self.rules._in_force = policy._Rules(enforcer)
        self.assertEqual([True, False, True],
                         [self.check() for _ in range(3)])

    def test_a_failure_of_the_parser_is_no_decision(self):
        with mock.patch('ast.literal_eval', autospec=True,
                        side_effect=[SystemError, ValueError]) as parse:
            self.assertTrue(self.check(roles=['reader']))
        self.assertEqual(2, parse.call_count)

    def test_a_parser_that_always_fails_is_asked_a_few_times(self):
        with mock.patch('ast.literal_eval', autospec=True,
                        side_effect=SystemError('mute')) as parse:
            self.assertRaises(SystemError, self.check, roles=['reader'])
            self.assertEqual(3, parse.call_count)
            self.file.write_text(
                'mogan:instance:get_one: project_id:%(project_id)s\n')
            error = self.assertRaises(PolicyFileError, policy.load,
                                      self.conf)
        self.assertIn('project_id, which Python cannot parse: mute',
                      str(error))
        self.assertEqual(6, parse.call_count)

    def test_only_so_many_are_remembered(self):
        self.useFixture(fixtures.MonkeyPatch('mogan.policy._REMEMBERED', 3))
        for number in range(8):
            self.check({'project_id': str(number)})
        self.assertLessEqual(len(self.rules._in_force._decisions), 3)


class _Changing(_checks.Check):
    answers = itertools.cycle([True, False])

    def __init__(self):
        super().__init__('changing', '')

    def __call__(self, target, creds, enforcer, current_rule=None):
        return next(self.answers)
