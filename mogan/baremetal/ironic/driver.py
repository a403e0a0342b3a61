# SPDX-License-Identifier: Apache-2.0
"""The driver for Ironic.

It cannot fence.  Instead a call reaches a node within `Timing.reach` of its
check, or never: see the channel.  Ironic makes one promise of its own that
this rests on: a node has one instance_uuid at a time, and an instance_uuid
is on one node.
"""

import contextlib
import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, TypeVar

import tenacity
from oslo_log import log

from mogan.baremetal import driver
from mogan.baremetal.driver import Availability, PowerState, PowerTarget
from mogan.baremetal.ironic import answers, calls, nodes
from mogan.baremetal.ironic.calls import Node
from mogan.baremetal.ironic.channel import Channel, boottime
from mogan.baremetal.ironic.client import Client, TooOld
from mogan.baremetal.ironic.taking import Taking

LOG = log.getLogger(__name__)

_T = TypeVar('_T')

_GROUP: Final = 'ironic'
# Seconds that a call waits, at most, until Ironic has let go of the node.
_PATIENCE: Final = 5.0
_PAGE: Final = 1000
_SHOWN: Final = ','.join(nodes.SHOWN)
_EVERY: Final = {'fields': _SHOWN}
_ZONED: Final = {'fields': 'uuid,properties'}
_MANAGEABLE: Final = {
    'fields': ','.join(nodes.DEPLOYED), 'provision_state': 'active',
    'associated': 'false', 'maintenance': 'false'}
# One page of all nodes costs about as much as this many single nodes.
_SINGLES: Final = 40
# Seconds; anybody may ask, and all nodes are read for it.
_ZONES_KEPT: Final = 30.0
_REACHED: Final = {
    PowerTarget.ON: PowerState.ON,
    PowerTarget.OFF: PowerState.OFF,
    PowerTarget.SOFT_OFF: PowerState.OFF,
}
# There is nothing to wipe: the instance is taken off the node, that is all.
_EMPTY: Final = frozenset({'available', 'manageable', 'enroll',
                           'clean failed', 'inspect failed'})
_DEPLOYABLE: Final = frozenset({'available', 'deploy failed'})
_REBUILDABLE: Final = frozenset({'active', 'deploy failed', 'error'})


class IronicDriver(driver.Driver):
    """Nodes of one Ironic.

    `maintenance_on_lock`: also put protected nodes into maintenance.
    """

    fencing = False

    def __init__(self, client: Client, timing: driver.Timing, *,
                 images: nodes.Images | None = None,
                 maintenance_on_lock: bool = False) -> None:
        self.timing = timing
        self.client = client
        self._images = images or nodes.Images()
        self._maintenance_on_lock = maintenance_on_lock
        self._taking = Taking(client, self._images)
        self._pages = 1     # that all nodes fill, as far as is known
        self._reading_zones = threading.Lock()
        self._zones: list[str] = []
        self._zones_until = 0.0

    @classmethod
    def from_conf(cls, conf: Any) -> 'IronicDriver':
        group = conf[_GROUP]
        timing = driver.Timing(group.lease, group.reach, group.skew)
        if group.reach < group.idle_timeout + group.timeout:
            raise ValueError(
                f'[{_GROUP}] reach is {group.reach:g} s: it has to be at '
                f'least idle_timeout ({group.idle_timeout:g} s) and timeout '
                f'({group.timeout:g} s) together')
        client = Client.from_conf(conf, _GROUP)
        try:
            client.base()
        except TooOld as error:
            raise ValueError(str(error)) from error
        except driver.Unavailable as error:
            # It may come while the engine runs.
            LOG.warning('The hardware is not at hand: %s', error)
        return cls(client, timing,
                   images=nodes.Images(group.image_source, group.image_type,
                                       group.image_checksum),
                   maintenance_on_lock=group.maintenance_on_lock)

    def check(self) -> None:
        self.client.check()

    def nodes(self, *, marker: str | None = None,
              limit: int = _PAGE) -> list[driver.Node]:
        behind = self._behind(marker, limit)
        return [nodes.view(node)
                for node in itertools.islice(behind, limit)]

    def zones(self) -> list[str]:
        with self._reading_zones:
            if self._zones_until < boottime():
                found = {nodes.zone(node['properties'])
                         for page in self._walk(_ZONED) for node in page}
                self._zones = sorted(zone for zone in found if zone)
                self._zones_until = boottime() + _ZONES_KEPT
            return self._zones

    def manageable(self, *, marker: str | None = None,
                   limit: int = _PAGE) -> list[driver.Node]:
        behind = map(nodes.view_deployed,
                     self._behind(marker, limit, _MANAGEABLE))
        # Ironic has no query for those that are not protected.
        return list(itertools.islice(
            (node for node in behind if node.obstacle is None), limit))

    def look(self, uuids: Collection[str]) -> dict[str, driver.Node]:
        """Single nodes are asked for one by one, many with all others, a
        page at a time: Ironic has no query for a list of nodes."""
        if len(uuids) <= _SINGLES * self._pages:
            found = [node for node in map(self._get, uuids)
                     if node is not None]
        else:
            wanted = frozenset(uuids)
            found = [node for page in self._walk() for node in page
                     if node['uuid'] in wanted]
        if len(found) < len(uuids):
            self.client.assert_sees_all()
        return {node['uuid']: nodes.view(node) for node in found}

    def find(self, instance_uuid: str) -> driver.Node | None:
        found = self.client.get('/v1/nodes', {
            'instance_uuid': instance_uuid, 'fields': _SHOWN})
        if not found['nodes']:
            self.client.assert_sees_all()
            return None
        return nodes.view(found['nodes'][0])

    def claim(self, order: driver.Order, fence: int) -> driver.Node:
        with self._channel() as channel:
            return nodes.view(_patiently(
                channel, lambda: self._taking.claim(channel, order)))

    def adopt(self, node_uuid: str, order: driver.Order,
              fence: int) -> driver.Node:
        with self._channel() as channel:
            return nodes.view_deployed(_patiently(
                channel, lambda: calls.adopt(channel, node_uuid,
                                             order.instance_uuid)))

    def release(self, node_uuid: str, instance_uuid: str,
                fence: int) -> None:
        self._carry_out(node_uuid, instance_uuid,
                        lambda channel, _: calls.disown(channel, node_uuid))

    def deploy(self, node_uuid: str, order: driver.Order,
               fence: int) -> None:
        def act(channel: Channel, node: Node) -> None:
            availability = nodes.view(node).availability
            if availability in {Availability.DEPLOYING, Availability.ACTIVE}:
                return
            calls.admit(node, _DEPLOYABLE, 'deployed')
            calls.furnish(channel, node, order, self._images)
            calls.provision(channel, node_uuid, 'active', order)

        self._carry_out(node_uuid, order.instance_uuid, act)

    def rebuild(self, node_uuid: str, order: driver.Order,
                fence: int) -> None:
        def act(channel: Channel, node: Node) -> None:
            # Before the image in instance_info is changed.
            if node['protected']:
                raise driver.Refused(f'{calls.name(node)} is protected')
            if node['maintenance']:
                raise driver.Refused(f'{calls.name(node)} is in maintenance')
            calls.admit(node, _REBUILDABLE, 'rebuilt')
            calls.rebuild(channel, node, order, self._images)

        self._carry_out(node_uuid, order.instance_uuid, act)

    def undeploy(self, node_uuid: str, instance_uuid: str,
                 fence: int) -> None:
        def act(channel: Channel, node: Node) -> None:
            state = node['provision_state']
            if nodes.view(node).availability is Availability.UNDEPLOYING:
                return
            if state in _EMPTY:
                calls.release(channel, node_uuid)
                return
            if state == 'deploying':
                raise driver.NodeBusy(f'{calls.name(node)} is {state}')
            calls.provision(channel, node_uuid, 'deleted')

        self._carry_out(node_uuid, instance_uuid, act)

    def power(self, node_uuid: str, instance_uuid: str, target: PowerTarget,
              fence: int) -> None:
        def act(channel: Channel, node: Node) -> None:
            seen = nodes.view(node)
            if seen.busy:
                raise driver.NodeBusy(f'{calls.name(node)} is at work')
            reached = _REACHED.get(target)
            if reached is None or reached is not seen.power_state:
                channel.write('PUT', f'/v1/nodes/{node_uuid}/states/power',
                              {'target': nodes.POWER_REQUESTS[target]})

        self._carry_out(node_uuid, instance_uuid, act)

    def protect(self, node_uuid: str, instance_uuid: str, reason: str | None,
                fence: int) -> None:
        def act(channel: Channel, node: Node) -> None:
            if not (node['protected']
                    or node['provision_state'] in nodes.PROTECTABLE):
                raise driver.NotProtectable(
                    f'{calls.name(node)} is {node["provision_state"]}')
            if (node['protected'], node['protected_reason']) != (
                    True, reason):
                # Somebody may have begun a maintenance since the check.
                node = calls.patch(channel, node_uuid, protected=True,
                                   protected_reason=reason)
            if self._maintenance_on_lock and not node['maintenance']:
                channel.write(
                    'PUT', f'/v1/nodes/{node_uuid}/maintenance',
                    {'reason': nodes.maintenance_reason(instance_uuid)
                     + (f': {reason}' if reason else '')})

        self._carry_out(node_uuid, instance_uuid, act)

    def unprotect(self, node_uuid: str, instance_uuid: str,
                  fence: int) -> None:
        def act(channel: Channel, node: Node) -> None:
            if node['protected']:
                calls.patch(channel, node_uuid, protected=False)
            # Whatever the option says by now.
            if nodes.maintained_for_lock(node, instance_uuid):
                channel.write('DELETE',
                              f'/v1/nodes/{node_uuid}/maintenance')

        self._carry_out(node_uuid, instance_uuid, act)

    def seal(self, instance_uuid: str, fence: int) -> None:
        """Nothing: there is no place in Ironic to keep a number."""

    def close(self) -> None:
        self.client.close()

    def _carry_out(self, node_uuid: str, instance_uuid: str,
                   act: Callable[[Channel, Node], None]) -> None:
        """Check that the node carries the instance, and act; from the
        check on again where Ironic holds the node for a moment."""
        with self._channel() as channel:
            _patiently(channel, lambda: act(channel, calls.check(
                channel, node_uuid, instance_uuid)))

    @contextlib.contextmanager
    def _channel(self) -> Iterator[Channel]:
        try:
            with self.client.channel() as channel:
                yield channel
        except answers.LoggedOut:
            # A token that has run out is got anew for the next try, which
            # begins with its own check.
            self.client.forget_token()
            raise
        except driver.NotOurs:
            self.client.assert_sees_all()
            raise

    def _get(self, node_uuid: str) -> Node | None:
        try:
            return self.client.get(f'/v1/nodes/{node_uuid}',
                                   {'fields': _SHOWN})
        except driver.NotOurs:
            return None

    def _behind(self, marker: str | None, limit: int,
                query: Mapping[str, Any] = _EVERY) -> Iterator[Node]:
        """The nodes behind a node, by uuid, so many at a time; Ironic may
        send fewer than it is asked for."""
        last, at = marker or '', marker
        while True:
            try:
                page = self._page(at, limit, query)
            except driver.NotOurs:
                # The node that the page before ended with is gone.
                page = self._page(None, _PAGE, query)
            if not page:
                return
            yield from (node for node in page if node['uuid'] > last)
            at = page[-1]['uuid']
            last = max(last, at)

    def _walk(self, query: Mapping[str, Any] = _EVERY,
              ) -> Iterator[list[Node]]:
        """All nodes, by uuid."""
        marker, pages = None, 0
        while page := self._page(marker, _PAGE, query):
            yield page
            marker = page[-1]['uuid']
            pages += 1
        self._pages = max(pages, 1)

    def _page(self, marker: str | None, limit: int,
              query: Mapping[str, Any]) -> list[Node]:
        page = {**query, 'sort_key': 'uuid', 'limit': limit}
        if marker:
            page['marker'] = marker
        return self.client.get('/v1/nodes', page)['nodes']


def _patiently(channel: Channel, attempt: Callable[[], _T]) -> _T:
    """The attempt's result, made again for a while where Ironic holds the
    node."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(answers.Locked),
        stop=tenacity.stop_after_delay(min(_PATIENCE, channel.left / 2)),
        wait=tenacity.wait_random_exponential(0.05, 1), reraise=True,
    )(attempt)
