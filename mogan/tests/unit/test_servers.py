# SPDX-License-Identifier: Apache-2.0
"""The servers of others that tests share."""

import socket
import sys

from oslotest import base

from mogan.tests.support import servers


class Pages(servers.Server):
    """The web server of Python's library."""

    name = 'pages'

    @classmethod
    def started(cls):
        pages = cls()
        pages.launch([sys.executable, '-m', 'http.server', '--bind',
                      '127.0.0.1', str(pages.port)], pages.answers)
        return pages

    def answers(self):
        with socket.create_connection(('127.0.0.1', self.port), 1):
            return True

    def restore(self, fault=None):
        if fault:
            raise fault


class TestShared(base.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.shared = servers.Shared(Pages.started, Pages.restore)
        self.addCleanup(self.shared.end)

    def test_each_test_gets_the_same(self):
        first = self.shared()
        self.shared.restore()
        self.assertIs(first, self.shared())

    def test_one_that_cannot_be_restored_is_ended(self):
        first = self.shared()
        self.assertTrue(first.answers())
        self.assertRaises(RuntimeError, self.shared.restore,
                          fault=RuntimeError())
        self.assertRaises(ConnectionRefusedError, first.answers)
        self.assertFalse(first.directory.exists())
        second = self.shared()
        self.assertIsNot(first, second)
        self.assertTrue(second.answers())
