# SPDX-License-Identifier: Apache-2.0
"""Policy files as people write them."""

import pathlib

import fixtures

from mogan import exception, policy
from mogan.policy_files import PolicyFileError
from mogan.tests.unit import test_policy

# Files as people have written them.
CASES = pathlib.Path(__file__).parent / 'policy_files'


class TestPolicyFiles(test_policy.PolicyTest):

    def test_no_rule_is_anything_but_text(self):
        path = self.file.with_name('policy.d') / 'one.yaml'
        path.parent.mkdir()
        self.conf.set_override('policy_dirs', [str(path.parent)],
                               'oslo_policy')
        cases = sorted(CASES.iterdir())
        self.assertEqual(['a-boolean.yaml', 'value-commented-out.yaml'],
                         [case.name for case in cases])
        for file in (self.file, path):
            for text, said in (
                    *((case.read_text(), 'mogan:instance:')
                      for case in cases),
                    ('x: role:y\nmogan:node:get_all: ~\n', 'not null'),
                    ('rule: !\n', 'not null'),
                    ('rule: 5\n', 'not a number'),
                    ('rule: 5.0\n', 'not a number'),
                    ('rule: 2001-01-01\n', 'not a date'),
                    ('rule: off\n', 'not a boolean'),
                    ('rule: []\n', 'not a list'),
                    ('rule: [["role:admin"]]\n', 'not a list'),
                    ('rule: {}\n', 'not a mapping'),
                    ('rule: !!binary eA==\n', 'not binary data'),
                    ('rule: !other x\n', 'the type !other'),
                    ('off: role:x\n', 'must be a string, not a boolean'),
                    ('? [a]\n: role:x\n', 'must be a string, not a list'),
                    ('{"rule": null}', 'rule must be a rule as a string'),
                    ('{"rule": "!", "rule": "@"}', 'duplicate rule'),
                    ('rule: "!"\nx: "!"\nrule: "@"\n',
                     'line 3: duplicate rule rule')):
                file.write_text(text)
                error = self.assertRaises(PolicyFileError, policy.Policy,
                                          self.conf)
                self.assertIn(f'{file}: line ', str(error))
                self.assertIn(said, str(error), text)
                self.assertNotIn('iterable', str(error))
            file.write_text('---\n# nothing\n')
            policy.Policy(self.conf)

    def test_a_policy_file_without_a_name_stops_the_start(self):
        self.conf.set_override('policy_file', '', 'oslo_policy')
        self.assertRaises(PolicyFileError, policy.Policy, self.conf)

    def test_a_file_that_cannot_be_read_stops_the_start(self):
        self.file.mkdir()
        self.assertRaises(PolicyFileError, policy.Policy, self.conf)

    def test_what_lets_everybody_pass_is_named(self):
        log = self.useFixture(fixtures.FakeLogger())
        for text, named in (
                ('""', True), ('"@"', True), ('"not rule:none"', True),
                ('"@ or role:admin"', True), ('"rule:open"', True),
                ('"not reader"', True), ('"  "', False), ('"!"', False),
                ('"@ and role:admin"', False), ('"not rule:open"', False)):
            self.file.write_text(f'mogan:instance:lock: {text}\n'
                                 'open: "@"\n')
            policy.Policy(self.conf)
            self.assertEqual(named, 'allow every caller by these rules: '
                             'mogan:instance:lock' in log.output, text)
            log.reset_output()

    def test_a_rule_that_never_has_an_answer_is_refused(self):
        lock = 'mogan:instance:lock'
        for text, named, said in (
                (f'{lock}: rule:{lock}\n', lock,
                 f'refers back to rule:{lock}'),
                (f'{lock}: rule:a\na: not rule:b\nb: rule:c or rule:a\n',
                 'a', 'refers back to rule:a'),
                (f'{lock}: "role:x or rule:{lock}"\n', lock, 'refers back'),
                (f'{lock}: "{"not " * 80}role:x"\n', lock, 'too deeply'),
                (f'{lock}: "{"not " * 3000}role:x"\n', '', 'too deeply'),
                (''.join(f'r{number}: rule:r{number + 1}\n'
                         for number in range(80)) + 'r80: "!"\n', 'r0',
                 'too deeply'),
                (f'{lock}: "project_id:%(project_id"\n', lock, 'filled in'),
                (f'{lock}: "project_id:%(project_id)d"\n', lock, 'filled in'),
                (f'{lock}: "role:x or role:%"\n', lock, 'filled in'),
                (f'{lock}: "*:x"\n', lock, 'neither a name nor a literal'),
                (f'{lock}: "[1:x"\n', lock, 'neither a name nor a literal')):
            self.file.write_text(text)
            error = self.assertRaises(PolicyFileError, policy.Policy,
                                      self.conf)
            self.assertIn(named, str(error))
            self.assertIn(said, str(error), text)

    def test_a_rule_may_be_asked_for_twice(self):
        self.file.write_text(
            'mogan:instance:lock: "rule:a or (rule:b and rule:a)"\n'
            'a: role:x\nb: "rule:a or project_id:%(nothing)s"\n')
        rules = policy.Policy(self.conf)
        self.assertTrue(rules.check(
            test_policy.caller('x'), 'mogan:instance:lock', {}))
        self.assertFalse(rules.check(
            test_policy.caller('y'), 'mogan:instance:lock', {}))

    def test_nobody_passes_a_rule_that_asks_who_is_away(self):
        self.file.write_text(
            'mogan:instance:lock: "http://127.0.0.1:1/may or role:x"\n')
        rules = policy.Policy(self.conf)
        self.assertRaises(exception.ServiceUnavailable, rules.check,
                          test_policy.caller('x'), 'mogan:instance:lock', {})
