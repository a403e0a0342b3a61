# SPDX-License-Identifier: Apache-2.0
"""Instances that take over a node: one at a time for each node."""

import contextlib
from collections.abc import Mapping
from typing import Any, Final

import oslo_db.exception
import sqlalchemy as sa
from oslo_utils import uuidutils

from mogan import exception, states
from mogan.context import RequestContext
from mogan.db import actions, flavors, instances, models, rows
from mogan.db.core.engine import Database
from mogan.db.core.retry import retried

I = models.instances  # noqa: E741 - as in instances

# How often a flavor may be removed between its selection and its use.
_TRIES: Final = 8
_ON_NODE: Final = sa.select(I.c.uuid, I.c.status).where(
    I.c.node_uuid == sa.bindparam('node'), I.c.deleted_at.is_(None)).limit(1)
_ASKING: Final = sa.select(I.c.uuid, I.c.status).where(
    I.c.adopting == sa.bindparam('node'))


def create(db: Database, context: RequestContext, values: dict[str, Any],
           node: Mapping[str, Any], *,
           hidden_flavors: bool) -> rows.Instance:
    """Record a new instance and the intent that it takes over a node.

    It gets the flavor that describes the node best, if one does;
    `hidden_flavors`: that may be one that is not public.  Raises NodeTaken
    where another instance is on the node, or has asked for it.
    """
    for _ in range(_TRIES):
        flavor = flavors.fitting(db, node['resource_class'], node['traits'],
                                 hidden=hidden_flavors)
        # It may have been deleted, or disabled, since it was found.
        with contextlib.suppress(exception.FlavorNotFound,
                                 exception.FlavorDisabled):
            try:
                return _insert(db, context, values | {
                    'flavor_uuid': flavor, 'adopting': node['uuid']})
            except oslo_db.exception.DBDuplicateEntry:
                raise _taken(node['uuid'], _asking(
                    db, node['uuid'])) from None
    raise exception.ServiceUnavailable


def _taken(node_uuid: str, rival: rows.Instance | None) -> exception.NodeTaken:
    return exception.NodeTaken(uuid=node_uuid, instance=(
        f'the instance {rival.uuid} in the status {rival.status}' if rival
        else 'another instance'))


@retried
def _asking(db: Database, node_uuid: str) -> rows.Instance | None:
    # Where the row is that was in the way.
    with db.writer() as connection:
        return connection.execute(_ASKING, {'node': node_uuid}).first()


@retried
def _insert(db: Database, context: RequestContext,
            values: dict[str, Any]) -> rows.Instance:
    uuid = uuidutils.generate_uuid()
    node_uuid = values['adopting']
    action = actions.describe(context, uuid, states.Verb.ADOPT,
                              {'node_uuid': node_uuid},
                              notify=db.notifications)
    with db.writer() as connection:
        # `adopting` is unique; whoever had it for this node before, and has
        # taken the node over, is on the node.
        instances.insert(connection, action, values)
        rival = connection.execute(_ON_NODE, {'node': node_uuid}).first()
        if rival is not None:
            raise _taken(node_uuid, rival)
        if values['flavor_uuid'] is not None:
            flavors.lock_row(connection, values['flavor_uuid'], hidden=True)
        actions.insert(connection, action)
        return instances.lock_row(connection, uuid)
