# SPDX-License-Identifier: Apache-2.0
"""No other values in the state columns than the states."""

from mogan.db.migrations import steps

revision = '0004'
down_revision = '0003'

_DOMAINS = {
    'status': frozenset({
        'building', 'active', 'stopped', 'powering-on', 'powering-off',
        'soft-powering-off', 'rebooting', 'soft-rebooting', 'rebuilding',
        'deleting', 'error'}),
    'lock_state': frozenset({'unlocked', 'locking', 'locked', 'unlocking'}),
    'node_protection': frozenset({
        'none', 'applied', 'pending', 'unsupported', 'foreign'}),
}


def upgrade() -> None:
    steps.restrict('instances', _DOMAINS)
