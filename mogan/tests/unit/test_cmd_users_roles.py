# SPDX-License-Identifier: Apache-2.0
"""mogan-users, and the roles that the policy rules ask for."""

from mogan.api.middleware.auth import users
from mogan.tests.unit import test_cmd_users
from mogan.tests.unit.test_cmd_users import HASH


class TestRoles(test_cmd_users.UsersTest):

    def test_a_role_that_no_rule_asks_for_is_refused(self):
        self.write(f'ann:{HASH}:p:r')
        for words in (('add', 'bob', '--project', 'p', '--role', 'membr'),
                      ('set', 'ann', '--role', 'membr')):
            said = self.refused(*words, typed=b'secret')
            self.assertIn('refers to the role membr', said)
            self.assertIn('admin, auditor, manager, member', said)
            self.succeed(*words, '--any-role', typed=b'secret')
            self.assertIn('membr', users.read(self.file)[words[1]].roles)

    def test_the_check_names_it(self):
        self.write(f'ann:{HASH}:p:membr,member', f'bob:{HASH}:p:auditor')
        status, out, err = self.run_command(
            'check', '--users-file', str(self.file))
        self.assertEqual((1, ''), (status, out))
        self.assertIn('these roles: membr (ann)\n', err)

    def test_the_rules_of_the_configuration_count(self):
        rules = self.directory / 'other.yaml'
        config = self.directory / 'other.conf'
        config.write_text('[oslo_policy]\npolicy_file = other.yaml\n')
        for rule, status in (('role:pilot', 0), ('roles:pilot', 0),
                             ('rule:mine', 0), ('role:other', 1),
                             ('role:%(name)s', 0),
                             ('http://example.org/', 0)):
            rules.write_text(f'"mogan:node:get_all": "{rule}"\n'
                             'mine: role:pilot\nunused: role:other\n')
            self.write(f'ann:{HASH}:p:pilot')
            self.file.chmod(0o600)
            found, _, err = self.run_command(
                'check', '--users-file', str(self.file),
                '--config-file', str(config))
            self.assertEqual(status, found, (rule, err))

    def test_rules_that_cannot_be_read_stop_nobody(self):
        (self.directory / 'policy.yaml').write_text('mogan:node:get_all:\n')
        status, _, err = self.run_command(
            '--users-file', str(self.file), 'add', 'ann', '--project', 'p',
            '--role', 'pilot', typed=b'secret')
        self.assertEqual((0, 1), (status, err.count('\n')), err)
        self.assertIn('roles are not validated', err)

    def test_a_file_that_is_cut_off_is_left_alone(self):
        whole = f'ann:{HASH}:p:r\nbob:{HASH}:p:admin,member'
        for length in range(whole.rindex(':') + 2, len(whole) + 1):
            self.file.write_text(whole[:length])
            last = whole[:length].rpartition(
                ',' if ',' in whole[:length] else ':')[2]
            if last in {'admin', 'member'}:
                self.succeed('add', 'carl', '--project', 'p', typed=b'x')
                self.assertEqual(3, len(users.read(self.file)))
            else:
                self.refused('add', 'carl', '--project', 'p', typed=b'x')
