# SPDX-License-Identifier: Apache-2.0
"""The claiming of a free node for an instance."""

import collections
import contextlib
import dataclasses
import math
import random
import threading
from collections.abc import Iterator
from typing import Any, Final

from mogan.baremetal import driver
from mogan.baremetal.ironic import nodes, requests, responses
from mogan.baremetal.ironic.client import Client
from mogan.baremetal.ironic.connection import Connection, boottime
from mogan.baremetal.ironic.requests import Node

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
    """The nodes after the uuid `start`; `end` is the last one's, empty where
    no more follow.  `seen`: when they were requested."""

    nodes: list[Node]
    start: str
    end: str
    seen: float
    next: '_Page | None' = None


class SharedScan:
    """The free nodes of a class, by uuid, a page at a time, read once for
    all threads that search at the same time.

    A thread joins the scan at its current page, goes on to the end, and
    then from the beginning to where it joined.
    """

    def __init__(self, client: Client, query: dict[str, Any]) -> None:
        self._client = client
        self._query = query | {'sort_key': 'uuid', 'limit': _PAGE}
        self._reading = threading.Lock()
        self._newest = _Page([], '', '', 0.0)

    def pages(self, permit: driver.Permit) -> Iterator[_Page]:
        """Yield every page, none of them requested before this call.

        Raises TooLate as soon as no node could be claimed any more.
        """
        began, page = boottime(), self._newest
        entry: str | None = None
        around = False
        while True:
            permit.assert_covered()
            page = self._after(page)
            if page.seen < began:
                continue
            yield page
            entry = page.start if entry is None else entry
            if around and page.end >= entry:
                return
            if not page.end:
                if around or not entry:
                    return
                around = True

    def _after(self, page: _Page) -> _Page:
        # The reader that this one waits for may get no answer.
        if not self._reading.acquire(timeout=self._client.limit):
            raise driver.Unavailable('Ironic did not answer: timed out')
        try:
            if page.next is None:
                page.next = self._newest = self._read(page.end)
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


class NodeClaiming:
    """Claims of free nodes by the threads of a process, which avoid each
    other's nodes: two that claim the same one wait for each other in Ironic
    for a second."""

    def __init__(self, client: Client, images: nodes.Images) -> None:
        self.client = client
        self.images = images
        self._lock = threading.Lock()
        # When a thread released a node.
        self._released: dict[str, float] = {}
        self._scans: dict[str, SharedScan] = {}

    def claim(self, connection: Connection, spec: driver.DeploySpec) -> Node:
        """Give a free node to the instance, or find the one that it has.

        Raises NoNodeAvailable, Refused, NodeBusy where one may become free
        in a moment.
        """
        # Raises what is wrong with the spec on any node.
        nodes.instance_info(spec, self.images, None)
        return _Search(self, connection, spec).claim()

    def scan(self, spec: driver.DeploySpec) -> SharedScan:
        """Return the scan of the nodes of the spec's class."""
        query = requests.free_nodes(spec)
        with self._lock:
            return self._scans.setdefault(query['resource_class'],
                                           SharedScan(self.client, query))

    @contextlib.contextmanager
    def reserve(self, node_uuid: str, seen: float) -> Iterator[bool]:
        """Reserve the node within this process; false where another thread
        has it, or had it since it was seen to be free."""
        with self._lock:
            reserved = self._released.get(node_uuid, 0.0) < seen
            if reserved:
                self._released[node_uuid] = math.inf
        try:
            yield reserved
        finally:
            if reserved:
                self._released[node_uuid] = boottime()


class _Search:
    """One search for a node; its first page comes by the call's own
    connection."""

    def __init__(self, claiming: NodeClaiming, connection: Connection,
                 spec: driver.DeploySpec) -> None:
        self._claiming = claiming
        self._connection = connection
        self._spec = spec
        self._first_page = True     # and perhaps the only one
        self._busy = False
        self._refusal: driver.Refused | None = None
        self._refused: collections.Counter[str] = collections.Counter()

    def claim(self) -> Node:
        for connection, candidate, seen in self._candidates():
            with self._claiming.reserve(
                    candidate['uuid'], seen) as reserved:
                self._busy |= not reserved
                node = self._try(connection, candidate) if reserved else None
            if node is not None:
                return node
        carrier = self._carrier()
        if carrier is not None:
            return carrier
        if self._busy:
            # After the first page the connection has been idle too long.
            raise (responses.Locked if self._first_page else driver.NodeBusy)(
                'Ironic is at work on every free node')
        if self._refusal:
            raise self._refusal
        raise driver.NoNodeAvailable(self._spec.unmet_requirements())

    def _candidates(self) -> Iterator[tuple[Connection | None, Node, float]]:
        """Yield free nodes that fit, and since when they are known to be;
        those of the first page with the connection."""
        # A node is one unit of one class.
        if list(self._spec.resources.values()) != [1]:
            return
        seen = boottime()
        first = self._connection.read('/v1/nodes',
                                      requests.free_nodes(self._spec))
        for node in self._fitting(first['nodes']):
            yield self._connection, node, seen
        if 'next' not in first:
            return
        self._first_page = False
        for page in self._claiming.scan(self._spec).pages(
                self._connection.permit):
            for node in self._fitting(page.nodes):
                yield None, node, page.seen

    def _fitting(self, page: list[Node]) -> Iterator[Node]:
        """Return the nodes that fit in random order, so that concurrent
        searches do not try the same one first."""
        fitting = [node for node in page if nodes.suits(node, self._spec)]
        random.shuffle(fitting)
        return (node for node in fitting
                if self._refused[node['conductor_group']] < _REFUSALS)

    def _try(self, connection: Connection | None,
             candidate: Node) -> Node | None:
        """Return the node where the instance has got it, or the one that
        the instance has had before."""
        try:
            if connection is not None:
                return self._take(connection, candidate)
            permit = self._connection.permit
            with self._claiming.client.connect(permit) as own:
                return self._check_and_take(own, candidate)
        except driver.NotOurs:
            # Deleted since it was listed.
            return None
        except responses.Conflict:
            # Taken since then, unless the instance has a node: Ironic gives
            # it no second one.
            return self._carrier()
        except driver.Refused as error:
            self._refusal = error
            self._refused[candidate['conductor_group']] += 1
            return None
        except driver.NodeBusy:
            if self._connection.left <= 0:
                raise
            self._busy = True
            return None

    def _check_and_take(self, connection: Connection,
                        candidate: Node) -> Node | None:
        node = connection.read(f'/v1/nodes/{candidate["uuid"]}', _CHECKED)
        if (node['instance_uuid'] is None and _usable(node)
                and nodes.suits(node, self._spec)):
            return self._take(connection, node)
        return None

    def _take(self, connection: Connection, candidate: Node) -> Node | None:
        """Return the node, unless it became unusable since it was listed;
        Ironic refuses where it has an instance."""
        node = requests.patch(
            connection, candidate['uuid'],
            instance_uuid=self._spec.instance_uuid,
            instance_info=nodes.instance_info(
                self._spec, self._claiming.images, candidate['properties']))
        if _usable(node):
            return node
        requests.release(connection, node['uuid'])
        return None

    def _carrier(self) -> Node | None:
        """Return the node that carries the instance, if one does."""
        found = self._claiming.client.get('/v1/nodes', {
            'instance_uuid': self._spec.instance_uuid,
            'fields': ','.join(nodes.SHOWN)})
        return next(iter(found['nodes']), None)


def _usable(node: Node) -> bool:
    return (node['provision_state'] == 'available'
            and not node['maintenance'])
