# SPDX-License-Identifier: Apache-2.0
"""The representation of an instance in the output."""

from moganclient import exceptions
from moganclient.osc.v1 import fields


def rows(client, instance, *, server=False):
    """Return the columns and values that the caller may see; `server`: with
    those of 0.1.0."""
    chosen = (fields.INSTANCE if instance.node_protection is None
              else fields.INSTANCE_ADMIN)
    if server:
        chosen = (*chosen, *fields.SERVER_ONLY)
    # The service knows no addresses.
    return fields.headings(chosen), fields.values(
        instance, chosen, addresses={},
        flavor=_flavor(client, instance.flavor_uuid))


def _flavor(client, uuid):
    """Return name and UUID of a flavor, or the UUID if it is hidden."""
    if uuid is None:
        return None
    try:
        return f'{client.get_flavor(uuid).name} ({uuid})'
    except exceptions.NotFound:
        return uuid
