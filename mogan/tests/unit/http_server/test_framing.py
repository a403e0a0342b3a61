# SPDX-License-Identifier: Apache-2.0
"""The framing of requests."""

from oslotest import base

from mogan.http_server import framing

_MOST = framing.LARGEST_BODY


def whole(data, extent=None):
    """Return the extent of data that has come at once."""
    extent = extent or framing.Extent()
    return extent.reached(bytearray(data)), extent


def request(*headers, body=b''):
    return b'\r\n'.join((b'PUT / HTTP/1.1', b'Host: x', *headers, b'',
                         body))


class TestExtent(base.BaseTestCase):

    def assert_ends(self, data, rest=b''):
        """Byte by byte as well as at once, and whatever comes behind."""
        reached, extent = whole(data + rest)
        self.assertEqual((True, False, len(data)),
                         (reached, extent.cut, extent.end))
        extent, come = framing.Extent(), bytearray()
        for number in range(len(data)):
            self.assertFalse(extent.reached(come), (data, number))
            come.append(data[number])
        self.assertTrue(extent.reached(come))
        self.assertEqual((False, len(data)), (extent.cut, extent.end))

    def test_a_request_ends_with_its_head_or_its_body(self):
        for data in (
                b'GET / HTTP/1.1\r\n\r\n', b'\r\nGET / HTTP/1.1\r\n\r\n',
                request(), b'GET / HTTP/1.1\nHost: x\n\n',
                request(b'Content-Length: 0'),
                request(b'Content-Length: 5', body=b'hello'),
                request(b'content-length:5 ', body=b'\r\n\r\n5'),
                request(b'X-Content-Length: 5'),
                request(b'Content-Length-X: 5')):
            self.assert_ends(data, b'GET /next HTTP/1.1\r\n\r\n')

    def test_a_request_ends_with_its_last_chunk(self):
        for body in (b'0\r\n\r\n', b'5\r\nhello\r\n0\r\n\r\n',
                     b'5;a="b"\r\n0\r\n\r\n\r\n00\r\n\r\n',
                     b'a \r\n0123456789\r\n0;x\r\nX: y\r\nZ: 0\r\n\r\n'):
            self.assert_ends(request(b'Transfer-Encoding: Chunked',
                                     body=body), b'GET / HTTP/1.1\r\n')

    def test_what_cannot_be_told_apart_is_cut_off(self):
        for headers, body in (
                ((b'Content-Length: x',), b''),
                ((b'Content-Length: -1',), b''),
                ((b'Content-Length: +5',), b'hello'),
                ((b'Content-Length: 1_0',), b''),
                ((b'Content-Length: 5', b'Content-Length: 6'), b'hello'),
                ((b'Content-Length: 5', b'Content-Length: 5'), b'hello'),
                ((b'Content-Length: 5', b'Transfer-Encoding: chunked'), b''),
                ((b'Transfer-Encoding: gzip, chunked',), b''),
                ((b'Transfer-Encoding: chunked', b'Transfer-Encoding: x'),
                 b''),
                ((b'Transfer-Encoding: chunked',), b'zz\r\n'),
                ((b'Transfer-Encoding: chunked',), b'-1\r\n'),
                ((b'Transfer-Encoding: chunked',), b'0x1\r\n'),
                ((b'Transfer-Encoding: chunked',), b'1\na\r\n'),
                ((b'Transfer-Encoding: chunked',), b'1\r\nabc\r\n'),
                ((b'Transfer-Encoding: chunked',), b'1;' + b'x' * 5000)):
            reached, extent = whole(request(*headers, body=body))
            self.assertEqual((True, True, False), (
                reached, extent.cut, extent.excessive), (headers, body))

    def test_a_header_that_others_may_read_otherwise_is_malformed(self):
        for header in (b'Content-Length\x0b: 5', b'\x0bContent-Length: 5',
                       b'\rContent-Length: 5', b'Content-Length : 5',
                       b'Content-Length: 5\r, 6', b'Content-Length: 2\r\n 5',
                       b'Content-Length: 2\r\n\t5', b'X\0: y', b' X: y',
                       b'two words: x', b'Transfer-Encoding\x0c: chunked'):
            reached, extent = whole(request(b'X: a: b', header, body=b'x'))
            self.assertEqual((True, True, True), (
                reached, extent.cut, extent.malformed), header)
        for header in (b'X: \x0b', b'X:y:z', b'X:', b"!#$%&'*+-.^_`|~9: x"):
            for end in (b'\r\n', b'\n'):
                data = request(header).replace(b'\r\n', end)
                self.assertFalse(whole(data)[1].malformed, data)
        # In no time: it is looked for in what anybody may send.
        whole(request(b' ' * (framing.LARGEST_HEAD - 100)))
        whole(request(b'x' * (framing.LARGEST_HEAD - 100)))

    def test_more_than_a_body_may_have_is_not_waited_for(self):
        most = _MOST
        for headers, body in (
                ((b'Content-Length: %d' % (most + 1),), b''),
                ((b'Transfer-Encoding: chunked',), b'7fffffff\r\nxxx'),
                ((b'Transfer-Encoding: chunked',),
                 b'100000\r\n' + b'x' * most + b'\r\n1\r\n'),
                ((b'Transfer-Encoding: chunked',),
                 b'1\r\nx\r\n' * (most // 2))):
            reached, extent = whole(request(*headers, body=body))
            self.assertEqual((True, True, True), (
                reached, extent.cut, extent.excessive), headers)
        self.assertFalse(whole(request(b'Content-Length: %d' % most))[0])

    def test_a_head_without_an_end_is_cut_off(self):
        for data in (b'GET /' + b'x' * framing.LARGEST_HEAD,
                     request(b'Transfer-Encoding: chunked', body=(
                         b'0\r\nX: ' + b'x' * framing.LARGEST_HEAD))):
            reached, extent = whole(data)
            self.assertEqual((True, True), (reached, extent.cut))

    def test_an_expectation_and_the_lines_are_seen(self):
        _, extent = whole(request(b'Expect: 100-Continue',
                                  b'Content-Length: 5'))
        self.assertTrue(extent.expects)
        self.assertEqual(3, extent.lines)
        self.assertFalse(whole(request(b'Expect: x'))[1].expects)
