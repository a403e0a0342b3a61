# SPDX-License-Identifier: Apache-2.0
"""Instances as far as the caller may reach them."""

from typing import Any

import pecan

from mogan import exception
from mogan.db import instances


def find(uuid: str, rule: str, *, deleted: bool = False) -> Any:
    """An instance that the caller may do this with.

    The rule has been checked for the caller's own project, so that only
    another one's is left.  Raises InstanceNotFound where the caller may not
    even see it, Forbidden otherwise.
    """
    request = pecan.request
    row = instances.get(request.services.db, uuid, deleted=deleted)
    if row.project_id == request.context.project_id or may(rule, row):
        return row
    if may('mogan:instance:get_one', row):
        raise exception.Forbidden(rule=rule)
    raise exception.InstanceNotFound(uuid=uuid)


def may(rule: str, row: Any) -> bool:
    """Whether the caller may do this with the row."""
    request = pecan.request
    return request.services.policy.check(
        request.context, rule, {'project_id': row.project_id})


def sees_all(row: Any) -> bool:
    """Whether the caller sees what only admins see."""
    return may('mogan:instance:get_admin_fields', row)
