# SPDX-License-Identifier: Apache-2.0
"""Errors where something else answers in place of the service."""

import requests
import testtools

from moganclient import exceptions
from moganclient.osc.v1 import faults


class TestFaults(testtools.TestCase):

    def test_of_a_page_for_browsers_the_status_is_told(self):
        response = requests.Response()
        response.status_code, response.reason = 502, 'Bad Gateway'
        response.headers['content-type'] = 'text/html; charset=utf-8'
        response._content = (
            b'<html><head><title>502 Bad Gateway</title></head>'
            b'<body><h1>502 Bad Gateway</h1></body></html>')
        error = self.assertRaises(exceptions.BadGateway,
                                  exceptions.raise_for, response)
        self.assertEqual('502 Bad Gateway', faults.text(error))
