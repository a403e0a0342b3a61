# SPDX-License-Identifier: Apache-2.0
"""A survey of all nodes, compared with their instances page by page: one
query of the rows, and one of the driver."""

import itertools
from collections.abc import Iterator, Sequence

from oslo_log import log

from mogan.baremetal import driver
from mogan.db import domains, instances, rows
from mogan.db.core.engine import Database
from mogan.engine.drift.protection import ProtectionRepair
from mogan.engine.drift.status import StatusSync
from mogan.engine.quarantine import Quarantine

LOG = log.getLogger(__name__)


class Survey:
    """A survey, which one engine at a time makes; `name` is the engine's."""

    def __init__(self, db: Database, hardware: driver.Driver, name: str, *,
                 quarantine: Quarantine | None = None,
                 page: int = 1000) -> None:
        self._db = db
        self._driver = hardware
        self._sync = StatusSync(db)
        self._repair = ProtectionRepair(db, hardware, name)
        self._quarantine = quarantine or Quarantine()
        self._page = page

    def pages(self) -> Iterator[None]:
        """Compare a page at a time, and yield after each.

        Raises DriverError.
        """
        after: tuple[str, int] = ('', 0)
        marker: str | None = None
        # Rows come before their nodes: what a node shows then is not older
        # than what its row says.
        while rows := instances.on_nodes(self._db, after=after,
                                         limit=self._page):
            nodes = self._driver.nodes(marker=marker, limit=self._page)
            here = _reached(rows, nodes)
            if here:
                self._compare(here, nodes)
                after = here[-1].node_uuid, here[-1].id
            if len(here) < len(rows):
                marker = nodes[-1].uuid
            else:
                # The next row may be on the same node as the last one.
                marker = max((node.uuid for node in nodes
                              if node.uuid < after[0]), default=marker)
            yield

    def _compare(self, rows: Sequence[rows.OnNode],
                 nodes: Sequence[driver.Node]) -> None:
        seen = self._find(rows, nodes)
        for row in rows:
            if row.node_uuid not in seen:
                continue
            unknown = domains.unknown(row)
            if unknown is not None:
                self._quarantine.add(unknown)
                continue
            node = seen[row.node_uuid]
            unknown = domains.unknown_fault(row)
            if unknown is not None:
                self._quarantine.add(unknown)
            else:
                with self._quarantine.guard(row.uuid, 'the comparison'):
                    self._sync.follow(row, node)
            with self._quarantine.guard(row.uuid, 'the repair'):
                if node and self._repair.repair(row, node):
                    LOG.info('The protection of the node of instance %s '
                             'has been repaired', row.uuid)

    def _find(self, rows: Sequence[rows.OnNode],
              nodes: Sequence[driver.Node]) -> dict[str, driver.Node | None]:
        """Return the rows' nodes; None for one that is surely gone."""
        seen: dict[str, driver.Node | None] = {
            node.uuid: node for node in nodes}
        missing = {row.node_uuid for row in rows} - seen.keys()
        if missing:
            try:
                found = self._driver.look(missing)
            except driver.DriverError as error:
                LOG.warning('Cannot query the bare-metal driver for missing '
                            'nodes: %s', error)
            else:
                seen |= {uuid: found.get(uuid) for uuid in missing}
        return seen


def _reached(rows: Sequence[rows.OnNode],
             nodes: Sequence[driver.Node]) -> list[rows.OnNode]:
    """Return the first rows, as far as this page of nodes goes."""
    if not nodes:
        return list(rows)
    return list(itertools.takewhile(
        lambda row: row.node_uuid <= nodes[-1].uuid, rows))
