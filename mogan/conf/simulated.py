# SPDX-License-Identifier: Apache-2.0
"""[simulated]: hardware that is kept in a file."""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('simulated', title='The simulated hardware')

_SECONDS = 'Seconds that {} takes.'

OPTS = [
    cfg.StrOpt('inventory', default='/var/lib/mogan/inventory.sqlite',
               help='The file that holds the nodes and the journal of all '
                    'calls. The engine processes of one host share it; it '
                    'must not lie on a network file system.'),
    cfg.FloatOpt('deploy_time', default=1.0, min=0,
                 help=_SECONDS.format('putting an image on a node')),
    cfg.FloatOpt('rebuild_time', default=1.0, min=0,
                 help=_SECONDS.format('putting an image on a node anew')),
    cfg.FloatOpt('undeploy_time', default=1.0, min=0,
                 help=_SECONDS.format('wiping a node')),
    cfg.FloatOpt('power_time', default=0.2, min=0,
                 help=_SECONDS.format('a change of power')),
    cfg.FloatOpt('lease', default=6.0, min=0.1,
                 help="Seconds that an engine's claim of an instance lasts "
                      'unless it is renewed: after that another engine '
                      'takes over from one that has died. At least three '
                      'times the reach.'),
    cfg.FloatOpt('reach', default=1.0, min=0,
                 help='Seconds that a call needs at most from its check to '
                      'its effect. The simulated hardware compares fencing '
                      'numbers as well, so that it does not depend on '
                      'this.'),
    cfg.FloatOpt('skew', default=0.5, min=0,
                 help="Seconds that the database's clock may gain on the "
                      "engine's over one lease."),
]


def register_opts(conf: Any) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[Any, list[Any]]]:
    return [(GROUP, OPTS)]
