# SPDX-License-Identifier: Apache-2.0
"""The fields shown of each resource, with their headings, in order.

The headings of 0.1.0 stay, and stay where they are: scripts name them, or
count them.
"""

from cliff import columns
from osc_lib.cli import format_columns


class Fault(columns.FormattableColumn):
    """The fault of an instance; a table shows its message."""

    def human_readable(self):
        return (self._value or {}).get('message') or ''


# Administrators alone see what is in these.
_ADMIN = (('Locked By', 'locked_by'), ('Node', 'node_uuid'))
INSTANCES = (
    ('UUID', 'uuid'), ('Name', 'name'), ('Status', 'status'),
    ('Power State', 'power_state'), ('Locked', 'locked'),
    ('Flavor', 'flavor'))
PROJECT = ('Project', 'project_id')
INSTANCES_LONG = (
    *INSTANCES, ('Flavor Id', 'flavor_uuid'), ('Image Id', 'image_uuid'),
    ('Lock State', 'lock_state'), ('Locked At', 'locked_at'),
    ('Locked Reason', 'locked_reason'),
    ('Availability Zone', 'availability_zone'), PROJECT,
    ('Created At', 'created_at'), ('Description', 'description'),
    ('Properties', 'metadata'), ('Fault', 'fault'), *_ADMIN)
SERVERS = (
    ('UUID', 'uuid'), ('Name', 'name'), ('Status', 'status'),
    ('Networks', 'networks'), ('Image', 'image_uuid'), ('Flavor', 'flavor'),
    ('Locked', 'locked'))
SERVERS_LONG = (
    ('UUID', 'uuid'), ('Name', 'name'), ('Status', 'status'),
    ('Power State', 'power_state'), ('Networks', 'networks'),
    ('Image Name', None), ('Image Id', 'image_uuid'),
    ('Flavor Name', 'flavor'), ('Flavor Id', 'flavor_uuid'),
    ('Availability Zone', 'availability_zone'), ('Properties', 'metadata'),
    ('Locked', 'locked'), ('Locked At', 'locked_at'),
    ('Locked Reason', 'locked_reason'), *_ADMIN)

INSTANCE = (
    ('uuid', 'uuid'), ('name', 'name'), ('description', 'description'),
    ('status', 'status'), ('power_state', 'power_state'),
    ('locked', 'locked'), ('lock_state', 'lock_state'),
    ('locked_at', 'locked_at'), ('locked_reason', 'locked_reason'),
    ('flavor', 'flavor'), ('image', 'image_uuid'),
    ('properties', 'metadata'), ('availability_zone', 'availability_zone'),
    ('networks', 'networks'), ('key_name', 'key_name'),
    ('partitions', 'partitions'),
    ('fault', 'fault'), ('project_id', 'project_id'),
    ('user_id', 'user_id'), ('created_at', 'created_at'),
    ('updated_at', 'updated_at'), ('launched_at', 'launched_at'))
# The service shows these to administrators.
INSTANCE_ADMIN = (
    *INSTANCE, ('locked_by', 'locked_by'), ('node_uuid', 'node_uuid'),
    ('node_protection', 'node_protection'))
SERVER_ONLY = (('addresses', 'addresses'),)

ACTIONS = (
    ('Created At', 'created_at'), ('Action', 'action'), ('User', 'user_id'),
    ('Outcome', 'outcome'), ('Times', 'times'), ('Arguments', 'arguments'))
ACTIONS_LONG = (
    *ACTIONS, ('Error', 'error'), ('Attempts', 'attempts'),
    ('Finished At', 'finished_at'), ('Updated At', 'updated_at'),
    ('Request Id', 'request_id'), ('UUID', 'uuid'))

FLAVORS = (
    ('UUID', 'uuid'), ('Name', 'name'), ('Is Public', 'is_public'),
    ('Description', 'description'), ('Resources', 'resources'))
FLAVORS_LONG = (
    *FLAVORS, ('Aggregates', None), ('Disabled', 'disabled'),
    ('Traits', 'traits'))
FLAVOR = (
    ('uuid', 'uuid'), ('name', 'name'), ('description', 'description'),
    ('resources', 'resources'), ('traits', 'traits'),
    ('is_public', 'is_public'), ('disabled', 'disabled'),
    ('created_at', 'created_at'), ('updated_at', 'updated_at'))

KEYPAIRS = (
    ('Name', 'name'), ('Type', 'type'), ('Fingerprint', 'fingerprint'))
KEYPAIR = (
    ('name', 'name'), ('type', 'type'), ('fingerprint', 'fingerprint'),
    ('public_key', 'public_key'), ('user_id', 'user_id'),
    ('created_at', 'created_at'), ('updated_at', 'updated_at'))

ZONES = (('Zone Name', 'name'),)
NODES = (('Node', 'name'), ('Availability Zone', 'availability_zone'))
NODES_LONG = (
    *NODES, ('UUID', 'uuid'), ('Resource Class', 'resource_class'),
    ('Availability', 'availability'), ('Power State', 'power_state'),
    ('Instance', 'instance_uuid'), ('Protected', 'is_protected'),
    ('Maintenance', 'is_maintenance'), ('Traits', 'traits'),
    ('Protected Reason', 'protected_reason'), ('Last Error', 'last_error'))
MANAGEABLE = (
    ('UUID', 'uuid'), ('Name', 'name'), ('Power State', 'power_state'),
    ('Provision State', 'provision_state'), ('Image Id', 'image_source'),
    ('Resource Class', 'resource_class'))
MANAGEABLE_LONG = (*MANAGEABLE, ('Traits', 'traits'))

_FORMS = {'metadata': format_columns.DictColumn,
          'addresses': format_columns.DictColumn,
          'arguments': format_columns.DictColumn,
          'resources': format_columns.DictColumn,
          'partitions': format_columns.DictColumn,
          'networks': format_columns.ListDictColumn,
          'traits': format_columns.ListColumn,
          'fault': Fault}


def headings(chosen):
    """Return the column names of fields."""
    return tuple(heading for heading, _ in chosen)


def values(resource, chosen, **more):
    """Return the values of a resource's fields; `more`: those that are not its
    own."""
    return tuple(_value(resource, name, more) for _, name in chosen)


def _value(resource, name, more):
    if name is None:
        return ''
    value = more[name] if name in more else getattr(resource, name)
    return _FORMS[name](value) if name in _FORMS else value
