# SPDX-License-Identifier: Apache-2.0
"""--wait, on a terminal and in a pipe, to its end and not."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

from moganclient.tests import service
from moganclient.tests.osc import base

CREATE = ('baremetalcompute', 'instance', 'create', '--flavor',
          'baremetal-small', '--image', service.IMAGE, '--wait')


class WaitingTest(base.CommandTest):
    """Sees what is written while a command waits."""

    def start(self, *words, err=subprocess.PIPE):
        process = subprocess.Popen(
            [base.OPENSTACK, *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=err,
            env=self.environment('mogan', None), process_group=0)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        return process

    def on_terminal(self, *words):
        """Start with a terminal for the errors; returns its other end
        too."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = self.start(*words, err=theirs)
        os.close(theirs)
        return process, ours

    def read(self, terminal, until=None):
        """Read the output up to a string or the end."""
        seen, end = b'', time.monotonic() + base.TIMEOUT
        while until is None or until not in seen:
            ready, _, _ = select.select([terminal], [], [],
                                        end - time.monotonic())
            self.assertNotEqual([], ready, seen)
            try:
                part = os.read(terminal, 4096)
            except OSError:    # Linux's way to say that it is over
                break
            if not part:
                break
            seen += part
        return seen.decode().replace('\r\n', '\n')


class TestWaiting(WaitingTest):

    def test_a_terminal_sees_each_step_once(self):
        process, terminal = self.on_terminal(*CREATE, 'seen')
        seen = self.read(terminal)
        self.assertEqual(0, process.wait(base.TIMEOUT))
        self.assertEqual(
            ['seen: building, unlocked', 'seen: active, unlocked'],
            [re.sub(r' \(\d+ s\)$', '', line)
             for line in seen.splitlines()])
        self.assertIn(b'| active ', process.stdout.read())

    def test_a_terminal_sees_the_fault_that_it_waits_for(self):
        self.create('stuck')
        self.break_hardware('unavailable', '--forever', '--message',
                            'BMC off')
        process, terminal = self.on_terminal(
            'baremetalcompute', 'instance', 'lock', 'stuck', '--wait')
        self.assertRegex(
            self.read(terminal, until=b'BMC off'),
            r'(?m)^stuck: active, locking \(\d+ s\): .*BMC off')
        self.mend_hardware()
        self.assertRegex(self.read(terminal), r'(?m)^stuck: locked')
        self.assertEqual(0, process.wait(base.TIMEOUT))

    def test_a_pipe_sees_none_of_what_is_over_soon(self):
        done = self.run_openstack(*CREATE, 'silent', '-f', 'value', '-c',
                                  'status')
        self.assertEqual((0, 'active\n', ''),
                         (done.status, done.out, done.err))

    def test_what_takes_too_long_is_a_failure(self):
        self.create('slow')
        self.break_hardware()
        done = self.run_group(
            'instance lock slow --wait --timeout 0.3 -f json')
        self.assertEqual(1, done.status)
        [line] = done.err.splitlines()
        self.assertRegex(line, '^slow: Timed out after 0.3 s; the request '
                         'is still in progress: '
                         'the instance .* is active and locking')
        [row] = done.json
        self.assertEqual('accepted', row['Result'])
        self.assertIn('Timed out after 0.3 s', row['Error'])
        shown = self.ask('instance show slow')
        self.assertTrue(shown['locked'])

    def test_a_rebuild_that_leaves_the_node_alone_is_a_failure(self):
        self.create('held')
        node = self.ask('instance show held')['node_uuid']
        self.simulate('node', 'set', node, '--protected', '--reason',
                      'RMA 17')
        line = self.refused('instance rebuild held --wait')
        self.assertRegex(
            line, '^Rebuild failed: the instance .* is active: '
                  '.*RMA 17')
        self.simulate('node', 'set', node, '--no-protected')
        [row] = self.ask('instance rebuild held --wait')
        self.assertEqual('active', row['Result'])

    def test_a_power_change_that_fails_is_a_failure(self):
        self.create('dead')
        self.break_hardware('fail', '--call', 'power', '--message', 'BMC off')
        for words in ('reboot dead', 'reboot dead --soft', 'stop dead'):
            line = self.refused(f'instance {words} --wait')
            self.assertRegex(
                line, '^Power change failed: the instance .* is '
                      'active: BMC off$')
        self.mend_hardware()
        [row] = self.ask('instance stop dead --wait')
        self.assertEqual('stopped', row['Result'])
        self.break_hardware('fail', '--call', 'power', '--message', 'BMC off')
        done = self.run_group('instance start dead nosuch --wait -f json')
        self.assertEqual(1, done.status)
        self.assertEqual(['failed', 'failed'],
                         [row['Result'] for row in done.json])
        self.assertRegex(
            done.json[0]['Error'],
            '^Power change failed: the instance .* is stopped: '
            'BMC off$')

    def test_what_fails_is_a_failure(self):
        for number in range(2):
            self.create(f'whole-{number}', '--flavor', 'baremetal-large')
        self.create('whole-2', '--flavor', 'baremetal-large')
        done = self.run_openstack(*CREATE, 'late', '--flavor',
                                  'baremetal-large')
        self.assertEqual((1, ''), (done.status, done.out))
        [line] = done.err.splitlines()
        self.assertIn('is in error', line)

    def test_ctrl_c_ends_the_waiting_and_nothing_else(self):
        self.create('held')
        self.break_hardware()
        process, terminal = self.on_terminal(
            'baremetalcompute', 'instance', 'lock', 'held', '--wait')
        self.read(terminal, until=b'held: active, locking')
        os.killpg(process.pid, signal.SIGINT)
        seen = self.read(terminal)
        self.assertEqual(1, process.wait(base.TIMEOUT))
        # A look at the instance may have come between.
        *_, line = seen.strip().splitlines()
        self.assertEqual('held: Interrupted. The request is still in '
                         'progress; see: openstack baremetalcompute '
                         'instance show held',
                         line)
        self.assertEqual('locking', self.ask(
            'instance show held')['lock_state'])


class TestWaitingForSeveral(WaitingTest):

    def test_what_is_under_way_is_told_from_what_is_refused(self):
        for name in ('late-1', 'late-2'):
            self.create(name)
        self.break_hardware()
        done = self.run_group('instance lock nosuch late-1 late-2 --wait '
                              '--timeout 1.5 -f json')
        self.assertEqual(1, done.status)
        self.assertEqual(
            [('nosuch', 'failed'), ('late-1', 'accepted'),
             ('late-2', 'accepted')],
            [(row['Name'], row['Result']) for row in done.json])
        lines = done.err.splitlines()
        self.assertIn('No instance with the name', lines[0])
        for name, line in zip(('late-1', 'late-2'), lines[1:], strict=True):
            self.assertIn(f'{name}: Timed out after 1.5 s', line)

    def test_ctrl_c_does_not_hide_what_has_failed(self):
        for name in ('kept-1', 'kept-2'):
            self.create(name)
        self.break_hardware()
        process, terminal = self.on_terminal(
            'baremetalcompute', 'instance', 'lock', 'nosuch', 'kept-1',
            'kept-2', '--wait', '-f', 'json')
        self.read(terminal, until=b'kept-1: active, locking')
        os.killpg(process.pid, signal.SIGINT)
        seen = self.read(terminal).strip().splitlines()
        self.assertEqual(1, process.wait(base.TIMEOUT))
        *_, missing, interrupted = seen
        self.assertIn('No instance with the name', missing)
        self.assertIn('kept-1: Interrupted. The request is still', interrupted)
        self.assertEqual(
            [('nosuch', 'failed'), ('kept-1', 'accepted'),
             ('kept-2', 'accepted')],
            [(row['Name'], row['Result'])
             for row in json.load(process.stdout)])
