# SPDX-License-Identifier: Apache-2.0
"""An instance as the commands show it."""

from moganclient import exceptions
from moganclient.osc.v1 import fields


def rows(client, instance, *, server=False):
    """Headings and values of all that the caller may see; `server`: with
    what 0.1.0 showed beside it."""
    chosen = (fields.INSTANCE if instance.node_protection is None
              else fields.INSTANCE_ADMIN)
    if server:
        chosen = (*chosen, *fields.SERVER_ONLY)
    # The service knows no addresses.
    return fields.headings(chosen), fields.values(
        instance, chosen, addresses={},
        flavor=_flavor(client, instance.flavor_uuid))


def _flavor(client, uuid):
    """Name and uuid; the uuid alone of one that the caller may not see."""
    if uuid is None:
        return None
    try:
        return f'{client.get_flavor(uuid).name} ({uuid})'
    except exceptions.NotFound:
        return uuid
