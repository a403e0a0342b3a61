# SPDX-License-Identifier: Apache-2.0
"""Goes over all nodes and compares them with their instances, a page at a
time: one query of the rows, and one of the driver."""

import itertools
from collections.abc import Iterator, Sequence

from oslo_log import log

from mogan.baremetal import driver
from mogan.db import instances
from mogan.db.engine import Database
from mogan.engine.repair import Repair
from mogan.engine.sync import Sync

LOG = log.getLogger(__name__)


class Survey:
    """What one engine at a time does for all; `name` is the engine's."""

    def __init__(self, db: Database, hardware: driver.Driver, name: str, *,
                 page: int = 1000) -> None:
        self._db = db
        self._driver = hardware
        self._sync = Sync(db)
        self._repair = Repair(db, hardware, name)
        self._page = page

    def pages(self) -> Iterator[None]:
        """Compare a page, and let the caller decide whether to go on.

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

    def _compare(self, rows: Sequence[instances.Row],
                 nodes: Sequence[driver.Node]) -> None:
        seen = self._find(rows, nodes)
        for row in rows:
            if row.node_uuid not in seen:
                continue
            node = seen[row.node_uuid]
            self._sync.follow(row, node)
            if node and self._repair.mend(row, node):
                LOG.info('The protection of the node of %s has been '
                         'repaired', row.uuid)

    def _find(self, rows: Sequence[instances.Row],
              nodes: Sequence[driver.Node]) -> dict[str, driver.Node | None]:
        """The rows' nodes; None for one that is surely gone."""
        seen: dict[str, driver.Node | None] = {
            node.uuid: node for node in nodes}
        missing = {row.node_uuid for row in rows} - seen.keys()
        if missing:
            try:
                looked = self._driver.look(missing)
            except driver.DriverError as error:
                LOG.warning('Nodes that seem to be gone cannot be looked '
                            'for: %s', error)
            else:
                seen |= {uuid: looked.get(uuid) for uuid in missing}
        return seen


def _reached(rows: Sequence[instances.Row],
             nodes: Sequence[driver.Node]) -> list[instances.Row]:
    """The first rows, as far as this page of nodes goes."""
    if not nodes:
        return list(rows)
    return list(itertools.takewhile(
        lambda row: row.node_uuid <= nodes[-1].uuid, rows))
