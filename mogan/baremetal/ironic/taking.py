# SPDX-License-Identifier: Apache-2.0
"""How an instance is given a free node."""

import collections
import contextlib
import dataclasses
import math
import random
import threading
from collections.abc import Iterator
from typing import Any, Final

from mogan.baremetal import driver
from mogan.baremetal.ironic import answers, calls, nodes
from mogan.baremetal.ironic.calls import Node
from mogan.baremetal.ironic.channel import Channel, boottime
from mogan.baremetal.ironic.client import Client

# Free nodes that a search reads together, after those that are asked for
# first.
_PAGE: Final = 500
# After so many the other nodes of a conductor group are left alone: most
# likely it has no conductor.
_REFUSALS: Final = 3
_CHECKED: Final = {'fields': (
    'uuid,traits,properties,instance_uuid,provision_state,maintenance')}


@dataclasses.dataclass(eq=False, slots=True)
class _Page:
    """Nodes behind the uuid `start`; `ahead` is the last one's, unless none
    come behind.  `seen`: when they were asked for."""

    nodes: list[Node]
    start: str
    ahead: str
    seen: float
    next: '_Page | None' = None


class Round:
    """The free nodes of a class, by uuid, a page at a time, read once for
    all threads that look through them at the same time.

    Who comes in goes on with the others from where they are, to the end,
    and from the beginning to where it came in.
    """

    def __init__(self, client: Client, query: dict[str, Any]) -> None:
        self._client = client
        self._query = query | {'sort_key': 'uuid', 'limit': _PAGE}
        self._reading = threading.Lock()
        self._newest = _Page([], '', '', 0.0)

    def pages(self) -> Iterator[_Page]:
        """All, none of them asked for before this was.

        Raises TooLate as soon as no node could be claimed any more.
        """
        began, page = boottime(), self._newest
        entry: str | None = None
        around = False
        while True:
            driver.assert_covered()
            page = self._behind(page)
            if page.seen < began:
                continue
            yield page
            entry = page.start if entry is None else entry
            if around and page.ahead >= entry:
                return
            if not page.ahead:
                if around or not entry:
                    return
                around = True

    def _behind(self, page: _Page) -> _Page:
        # Who waits for a reader that gets no answer gets none either.
        if not self._reading.acquire(timeout=self._client.limit):
            raise driver.Unavailable('Ironic did not answer: timed out')
        try:
            if page.next is None:
                page.next = self._newest = self._read(page.ahead)
            return page.next
        finally:
            self._reading.release()

    def _read(self, start: str) -> _Page:
        seen = boottime()
        try:
            found = self._ask(start)
        except driver.NotOurs:
            # The node that the page before ended with has been deleted.
            start, found = '', self._ask('')
        page = found['nodes']
        return _Page(page, start,
                     page[-1]['uuid'] if 'next' in found else '', seen)

    def _ask(self, start: str) -> dict[str, Any]:
        query = self._query | ({'marker': start} if start else {})
        return self._client.get('/v1/nodes', query)


class Taking:
    """Free nodes for the threads of a process, which keep out of each
    other's way: two that want the same one keep each other waiting in
    Ironic for a second."""

    def __init__(self, client: Client, images: nodes.Images) -> None:
        self.client = client
        self.images = images
        self._lock = threading.Lock()
        # When a thread was done with a node.
        self._done: dict[str, float] = {}
        self._rounds: dict[str, Round] = {}

    def claim(self, channel: Channel, order: driver.Order) -> Node:
        """Give a free node to the instance, or find the one that it has.

        Raises NoNodeAvailable, Refused, NodeBusy where one may become free
        in a moment.
        """
        # What is wrong with the order alone.
        nodes.instance_info(order, self.images, None)
        return _Search(self, channel, order).claim()

    def round(self, order: driver.Order) -> Round:
        """The one through the nodes of the class of an order."""
        query = calls.free_nodes(order)
        with self._lock:
            return self._rounds.setdefault(query['resource_class'],
                                           Round(self.client, query))

    @contextlib.contextmanager
    def alone(self, node_uuid: str, seen: float) -> Iterator[bool]:
        """Whether no other thread is about to take the node, or was since
        it was seen to be free."""
        with self._lock:
            alone = self._done.get(node_uuid, 0.0) < seen
            if alone:
                self._done[node_uuid] = math.inf
        try:
            yield alone
        finally:
            if alone:
                self._done[node_uuid] = boottime()


class _Search:
    """One for a node, which begins on a channel."""

    def __init__(self, taking: Taking, channel: Channel,
                 order: driver.Order) -> None:
        self._taking = taking
        self._channel = channel
        self._order = order
        self._short = True      # over with the first page
        self._busy = False
        self._refusal: driver.Refused | None = None
        self._refused: collections.Counter[str] = collections.Counter()

    def claim(self) -> Node:
        for channel, candidate, seen in self._candidates():
            with self._taking.alone(candidate['uuid'], seen) as alone:
                self._busy |= not alone
                node = self._try(channel, candidate) if alone else None
            if node is not None:
                return node
        carrier = self._carrier()
        if carrier is not None:
            return carrier
        if self._busy:
            # The channel of a long one has been idle for too long.
            raise (answers.Locked if self._short else driver.NodeBusy)(
                'Ironic is at work on every free node')
        if self._refusal:
            raise self._refusal
        raise driver.NoNodeAvailable(self._order.wanted())

    def _candidates(self) -> Iterator[tuple[Channel | None, Node, float]]:
        """Free nodes that fit, and since when they are known to be; those
        of the first page on the channel."""
        # A node is one unit of one class.
        if list(self._order.resources.values()) != [1]:
            return
        seen = boottime()
        first = self._channel.read('/v1/nodes',
                                   calls.free_nodes(self._order))
        for node in self._fitting(first['nodes']):
            yield self._channel, node, seen
        if 'next' not in first:
            return
        self._short = False
        for page in self._taking.round(self._order).pages():
            for node in self._fitting(page.nodes):
                yield None, node, page.seen

    def _fitting(self, page: list[Node]) -> Iterator[Node]:
        """By chance, so that those who look at the same time do not all
        want the same."""
        fitting = [node for node in page if nodes.suits(node, self._order)]
        random.shuffle(fitting)
        return (node for node in fitting
                if self._refused[node['conductor_group']] < _REFUSALS)

    def _try(self, channel: Channel | None, candidate: Node) -> Node | None:
        """The node, if the instance has got it, or another one that it has
        had before."""
        try:
            if channel is not None:
                return self._take(channel, candidate)
            with self._taking.client.channel() as own:
                return self._check_and_take(own, candidate)
        except driver.NotOurs:
            # Deleted since it was listed.
            return None
        except answers.Conflict:
            # Somebody else's since then, unless the instance has a node:
            # Ironic gives it no second one.
            return self._carrier()
        except driver.Refused as error:
            self._refusal = error
            self._refused[candidate['conductor_group']] += 1
            return None
        except driver.NodeBusy:
            if self._channel.left <= 0:
                raise
            self._busy = True
            return None

    def _check_and_take(self, channel: Channel,
                        candidate: Node) -> Node | None:
        node = channel.read(f'/v1/nodes/{candidate["uuid"]}', _CHECKED)
        if (node['instance_uuid'] is None and _usable(node)
                and nodes.suits(node, self._order)):
            return self._take(channel, node)
        return None

    def _take(self, channel: Channel, candidate: Node) -> Node | None:
        """The node, unless it must not be used any more since it was
        listed; Ironic refuses where it has an instance."""
        node = calls.patch(
            channel, candidate['uuid'],
            instance_uuid=self._order.instance_uuid,
            instance_info=nodes.instance_info(
                self._order, self._taking.images, candidate['properties']))
        if _usable(node):
            return node
        calls.release(channel, node['uuid'])
        return None

    def _carrier(self) -> Node | None:
        """The node that carries the instance, if one does."""
        found = self._taking.client.get('/v1/nodes', {
            'instance_uuid': self._order.instance_uuid,
            'fields': ','.join(nodes.SHOWN)})
        return next(iter(found['nodes']), None)


def _usable(node: Node) -> bool:
    return (node['provision_state'] == 'available'
            and not node['maintenance'])
