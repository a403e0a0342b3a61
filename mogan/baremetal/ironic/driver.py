# SPDX-License-Identifier: Apache-2.0
"""The driver for Ironic.

It cannot fence.  Instead a call reaches a node within `Timing.reach` of its
check, or never: see the connection.  Ironic makes one promise of its own that
this rests on: a node has one instance_uuid at a time, and an instance_uuid
is on one node.
"""

import contextlib
import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, TypeVar

import tenacity
from oslo_config import cfg
from oslo_log import log

from mogan.baremetal import driver
from mogan.baremetal.driver import Availability, PowerState, PowerTarget
from mogan.baremetal.ironic import nodes, requests, responses
from mogan.baremetal.ironic.claiming import NodeClaiming
from mogan.baremetal.ironic.client import Client, TooOld
from mogan.baremetal.ironic.connection import Connection, boottime
from mogan.baremetal.ironic.requests import Node
from mogan.baremetal.protection import Protection

LOG = log.getLogger(__name__)

_T = TypeVar('_T')

_GROUP: Final = 'ironic'
# Seconds that a call waits, at most, until Ironic has unlocked the node.
_LOCK_TIMEOUT: Final = 5.0
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
    `soft_timeout`: seconds that an operating system has to shut down.
    """

    fencing = False

    def __init__(self, client: Client, timing: driver.Timing, *,
                 images: nodes.Images | None = None,
                 maintenance_on_lock: bool = False,
                 soft_timeout: int = 120) -> None:
        self.timing = timing
        self.client = client
        self._images = images or nodes.Images()
        self._maintenance_on_lock = maintenance_on_lock
        self._soft_timeout = soft_timeout
        self._claiming = NodeClaiming(client, self._images)
        self._pages = 1     # that all nodes fill, as far as is known
        self._reading_zones = threading.Lock()
        self._zones: list[str] = []
        self._zones_until = 0.0

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> 'IronicDriver':
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
            LOG.warning('Cannot query the bare-metal driver: %s', error)
        return cls(client, timing,
                   images=nodes.Images(group.image_source, group.image_type,
                                       group.image_checksum),
                   maintenance_on_lock=group.maintenance_on_lock,
                   soft_timeout=group.soft_power_timeout)

    def check(self) -> None:
        self.client.check()

    def nodes(self, *, marker: str | None = None,
              limit: int = _PAGE) -> list[driver.Node]:
        following = self._after(marker, limit)
        return [nodes.view(node)
                for node in itertools.islice(following, limit)]

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
        following = map(nodes.view_deployed,
                     self._after(marker, limit, _MANAGEABLE))
        # Ironic has no query for those that are not protected.
        return list(itertools.islice(
            (node for node in following if node.obstacle is None), limit))

    def look(self, uuids: Collection[str]) -> dict[str, driver.Node]:
        """Read few nodes one by one, and many with all others, a page at a
        time: Ironic has no query for a list of nodes."""
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

    def claim(self, spec: driver.DeploySpec,
              permit: driver.Permit) -> driver.Node:
        with self._connect(permit) as connection:
            return nodes.view(_retry_while_locked(
                connection, lambda: self._claiming.claim(connection, spec)))

    def adopt(self, node_uuid: str, spec: driver.DeploySpec,
              permit: driver.Permit) -> driver.Node:
        with self._connect(permit) as connection:
            return nodes.view_deployed(_retry_while_locked(
                connection, lambda: requests.adopt(connection, node_uuid,
                                                   spec.instance_uuid)))

    def release(self, node_uuid: str, instance_uuid: str,
                permit: driver.Permit) -> None:
        def act(connection: Connection, _: Node) -> None:
            requests.disown(connection, node_uuid)

        self._carry_out(node_uuid, instance_uuid, permit, act)

    def deploy(self, node_uuid: str, spec: driver.DeploySpec,
               permit: driver.Permit) -> None:
        def act(connection: Connection, node: Node) -> None:
            availability = nodes.view(node).availability
            if availability in {Availability.DEPLOYING, Availability.ACTIVE}:
                return
            requests.assert_state(node, _DEPLOYABLE, 'deployed')
            requests.set_instance_info(connection, node, spec, self._images)
            requests.provision(connection, node_uuid, 'active', spec)

        self._carry_out(node_uuid, spec.instance_uuid, permit, act)

    def rebuild(self, node_uuid: str, spec: driver.DeploySpec,
                permit: driver.Permit) -> None:
        def act(connection: Connection, node: Node) -> None:
            # Before the image in instance_info is changed.
            if node['protected']:
                raise driver.Protected(f'{requests.name(node)} is protected')
            if node['maintenance']:
                raise driver.Refused(
                    f'{requests.name(node)} is in maintenance')
            requests.assert_state(node, _REBUILDABLE, 'rebuilt')
            requests.rebuild(connection, node, spec, self._images)

        self._carry_out(node_uuid, spec.instance_uuid, permit, act)

    def undeploy(self, node_uuid: str, instance_uuid: str,
                 permit: driver.Permit) -> None:
        def act(connection: Connection, node: Node) -> None:
            state = node['provision_state']
            if nodes.view(node).availability is Availability.UNDEPLOYING:
                return
            if state in _EMPTY:
                requests.release(connection, node_uuid)
                return
            if state == 'deploying':
                raise driver.NodeBusy(f'{requests.name(node)} is {state}')
            requests.provision(connection, node_uuid, 'deleted')

        self._carry_out(node_uuid, instance_uuid, permit, act)

    def power(self, node_uuid: str, instance_uuid: str, target: PowerTarget,
              permit: driver.Permit) -> None:
        def act(connection: Connection, node: Node) -> None:
            seen = nodes.view(node)
            changing = seen.power_target is not None
            if seen.busy and not (changing and target in driver.FORCED):
                raise driver.NodeBusy(f'{requests.name(node)} is at work')
            reached = _REACHED.get(target)
            if changing or reached is None or (
                    reached is not seen.power_state):
                requests.switch(connection, node, target, self._soft_timeout)

        self._carry_out(node_uuid, instance_uuid, permit, act)

    def protect(self, node_uuid: str, protection: Protection,
                permit: driver.Permit) -> None:
        def act(connection: Connection, node: Node) -> None:
            if not (node['protected']
                    or node['provision_state'] in nodes.PROTECTABLE):
                raise driver.NotProtectable(
                    f'{requests.name(node)} is {node["provision_state"]}')
            foreign = nodes.foreign_protection(node, protection)
            if foreign is None and (
                    node['protected'], node['protected_reason']) != (
                        True, protection.text):
                # Somebody may have begun a maintenance since the check.
                node = requests.patch(connection, node_uuid, protected=True,
                                      protected_reason=protection.text)
            if self._maintenance_on_lock and not node['maintenance']:
                connection.write(
                    'PUT', f'/v1/nodes/{node_uuid}/maintenance',
                    {'reason': nodes.maintenance_reason(protection)})
            if foreign:
                raise foreign

        self._carry_out(node_uuid, protection.instance_uuid, permit, act)

    def unprotect(self, node_uuid: str, protection: Protection,
                  permit: driver.Permit) -> None:
        def act(connection: Connection, node: Node) -> None:
            foreign = nodes.foreign_protection(node, protection)
            if node['protected'] and foreign is None:
                requests.patch(connection, node_uuid, protected=False)
            # Whatever the option says by now.
            if nodes.maintained_for_lock(node, protection.instance_uuid):
                connection.write('DELETE',
                                 f'/v1/nodes/{node_uuid}/maintenance')
            if foreign:
                raise foreign

        self._carry_out(node_uuid, protection.instance_uuid, permit, act)

    def seal(self, instance_uuid: str, permit: driver.Permit) -> None:
        """Do nothing: Ironic cannot store a fencing token."""

    def close(self) -> None:
        self.client.close()

    def _carry_out(self, node_uuid: str, instance_uuid: str,
                   permit: driver.Permit,
                   act: Callable[[Connection, Node], None]) -> None:
        """Check that the node carries the instance, and act; retried from
        the check on while Ironic has locked the node."""
        with self._connect(permit) as connection:
            _retry_while_locked(connection, lambda: act(
                connection, requests.check(
                    connection, node_uuid, instance_uuid)))

    @contextlib.contextmanager
    def _connect(self, permit: driver.Permit) -> Iterator[Connection]:
        try:
            with self.client.connect(permit) as connection:
                yield connection
        except responses.LoggedOut:
            # The next try gets a new token, and begins with its own check.
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

    def _after(self, marker: str | None, limit: int,
                query: Mapping[str, Any] = _EVERY) -> Iterator[Node]:
        """Yield the nodes after a node, by uuid, read in pages of `limit`;
        Ironic may send shorter ones."""
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
        """Yield all nodes, by uuid, in pages."""
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


def _retry_while_locked(connection: Connection,
                        attempt: Callable[[], _T]) -> _T:
    """Return the attempt's result, retried for a while where Ironic has
    locked the node."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(responses.Locked),
        stop=tenacity.stop_after_delay(
            min(_LOCK_TIMEOUT, connection.left / 2)),
        wait=tenacity.wait_random_exponential(0.05, 1), reraise=True,
    )(attempt)
