# SPDX-License-Identifier: Apache-2.0
"""Access checks of single instances."""


import pecan

from mogan import exception
from mogan.db import instances, rows


def find(uuid: str, rule: str, *, deleted: bool = False) -> rows.Instance:
    """Return an instance for which the rule allows the caller.

    The rule has been checked for the caller's own project, so only instances
    of other projects are checked. Raises InstanceNotFound where the caller may
    not even see it, Forbidden otherwise.
    """
    request = pecan.request
    row = instances.get(request.services.db, uuid, deleted=deleted,
                        to_change=request.method != 'GET')
    if row.project_id == request.context.project_id or may(rule, row):
        return row
    if may('mogan:instance:get_one', row):
        raise exception.Forbidden(rule=rule)
    raise exception.InstanceNotFound(uuid=uuid)


def may(rule: str, row: rows.Instance) -> bool:
    """Return whether a rule allows the caller for this row."""
    request = pecan.request
    return request.services.policy.check(
        request.context, rule, {'project_id': row.project_id})


def sees_all(row: rows.Instance) -> bool:
    """Return whether the caller sees the fields for admins."""
    return may('mogan:instance:get_admin_fields', row)
