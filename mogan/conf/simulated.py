# SPDX-License-Identifier: Apache-2.0
"""[simulated]: simulated hardware, stored in a file."""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('simulated', title='The simulated hardware')

_SECONDS = 'Seconds that {} takes.'

OPTS = [
    cfg.StrOpt('inventory', default='/var/lib/mogan/inventory.sqlite',
               help='File with the nodes and the journal of all calls. The '
                    'engine processes of one host share it; it must not be '
                    'on a network file system.'),
    cfg.FloatOpt('deploy_time', default=1.0, min=0,
                 help=_SECONDS.format('deploying a node')),
    cfg.FloatOpt('rebuild_time', default=1.0, min=0,
                 help=_SECONDS.format('rebuilding a node')),
    cfg.FloatOpt('undeploy_time', default=1.0, min=0,
                 help=_SECONDS.format('undeploying a node')),
    cfg.FloatOpt('power_time', default=0.2, min=0,
                 help=_SECONDS.format('a power change')),
    cfg.FloatOpt('lease', default=6.0, min=0.1,
                 help="Lease time in seconds of an engine's claim on an "
                      'instance: unless it is renewed, another engine takes '
                      'over after that. At least three times the reach.'),
    cfg.FloatOpt('reach', default=1.0, min=0,
                 help='Maximum time in seconds from the check of a call to '
                      'its effect. The simulated hardware does not depend '
                      'on it: it compares fencing tokens as well.'),
    cfg.FloatOpt('skew', default=0.5, min=0,
                 help="Seconds that the database's clock may gain on the "
                      "engine's over one lease."),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[Any, list[Any]]]:
    return [(GROUP, OPTS)]
