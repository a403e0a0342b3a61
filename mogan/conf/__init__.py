# SPDX-License-Identifier: Apache-2.0
"""The configuration options, one module for each group."""

from typing import Any

from oslo_config import cfg

from mogan.conf import (
    api,
    audit,
    auth,
    engine,
    ironic,
    metrics,
    notifications,
    rate_limit,
    simulated,
)

CONF = cfg.CONF
_GROUPS = (api, audit, auth, engine, ironic, metrics, notifications,
           rate_limit, simulated)

for _group in _GROUPS:
    _group.register_opts(CONF)


def list_opts() -> list[tuple[str | None, list[Any]]]:
    """Return all options, for oslo-config-generator."""
    return [entry for group in _GROUPS for entry in group.list_opts()]
