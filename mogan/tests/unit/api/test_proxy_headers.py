# SPDX-License-Identifier: Apache-2.0
"""Headers of a proxy, and the ones that are trusted."""

from oslotest import base

from mogan.api.middleware import proxy_headers

PLACE = ('http', 'mogan:6688', '127.0.0.1')


class TestProxied(base.BaseTestCase):

    def seen(self, **headers):
        """Scheme, host and address as the application sees them."""
        environ = dict(zip(
            ('wsgi.url_scheme', 'HTTP_HOST', 'REMOTE_ADDR'), PLACE,
            strict=True))
        environ |= {f'HTTP_{name.upper()}': value
                    for name, value in headers.items()}
        found = []
        proxy_headers.ProxyHeaders(lambda environ, _: found.append(environ))(
            environ, None)
        return tuple(found[0][name] for name in (
            'wsgi.url_scheme', 'HTTP_HOST', 'REMOTE_ADDR'))

    def test_a_proxy_says_what_it_was_asked_for_and_by_whom(self):
        self.assertEqual(PLACE, self.seen())
        self.assertEqual(
            ('https', 'cloud.example:443', '192.0.2.1'),
            self.seen(x_forwarded_proto='HTTPS',
                      x_forwarded_host='cloud.example:443',
                      x_forwarded_for='192.0.2.1'))
        for host in ('a', 'A-1.example', '192.0.2.1:6688', '[::1]',
                     '[2001:db8::1]:6688'):
            self.assertEqual(host, self.seen(x_forwarded_host=host)[1])
        self.assertEqual('2001:db8::1', self.seen(
            x_forwarded_for='2001:DB8:0::1')[2])

    def test_what_a_client_sent_stands_before_what_the_proxy_sends(self):
        self.assertEqual(
            ('https', 'cloud.example', '192.0.2.1'),
            self.seen(x_forwarded_proto='http, https',
                      x_forwarded_host='evil.example,cloud.example',
                      x_forwarded_for='127.0.0.1, 192.0.2.1'))

    def test_what_no_proxy_is_asked_for_is_not_read(self):
        self.assertEqual(PLACE, self.seen(
            forwarded='for=192.0.2.1;proto=https;host=evil.example',
            x_forwarded_prefix='/evil', x_real_ip='192.0.2.1',
            x_forwarded_port='1', x_forwarded_server='evil.example'))

    def test_what_is_malformed_changes_nothing(self):
        for header, wrong in (
                ('proto', ('x?y', 'ftp', 'https:', '\xe9', 'http://',
                           'https,', ' ')),
                ('host', ('a b', 'a"b', 'a/b', 'a?b', 'user@a', 'a:b', ':1',
                          'a:1:2', '::1', '[::1', '\xe9', 'a' * 256, 'a,',
                          'a:123456')),
                ('for', ('1.2.3.4" x', '1.2.3.4:5', '[::1]', 'unknown',
                         '1.2.3', '::1%lo', 'fe80::1% "x"', '\xe9', '0x1',
                         '192.0.2.1,', '192.0.2.1/24', ' '))):
            for value in wrong:
                self.assertEqual(
                    PLACE, self.seen(**{f'x_forwarded_{header}': value}),
                    (header, value))
