# SPDX-License-Identifier: Apache-2.0
"""[engine]: how instances are worked on."""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('engine', title='The engine')

OPTS = [
    cfg.StrOpt('driver', default='simulated',
               help='Which hardware the instances live on: the name of an '
                    'entry point in the namespace mogan.baremetal.'),
    cfg.StrOpt('topic', default='mogan-engine',
               help='The topic that engines take their messages from. All '
                    'engines and API services of one deployment share it.'),
    cfg.HostAddressOpt('host', sample_default='<the host name>',
                       help='The name of this host in claims and logs.'),
    cfg.IntOpt('workers', default=1, min=1,
               help='How many engine processes run on this host.'),
    cfg.IntOpt('threads', default=16, min=1, max=256,
               help='How many instances one engine process looks at at the '
                    'same time. Waiting for hardware takes no thread.'),
    cfg.FloatOpt('sweep_interval', default=1.0, min=0.05,
                 help='Seconds between two looks for work whose message was '
                      'lost or whose engine has died.'),
    cfg.FloatOpt('repair_interval', default=60.0, min=0.1,
                 help='Seconds between two looks at all nodes, which '
                      'compare them with the instances: the power, whether '
                      'the nodes are still there and deployed, and their '
                      'protection with the locks. One engine at a time '
                      'makes them for all, with one query of the hardware '
                      'management for 1,000 nodes.'),
    cfg.FloatOpt('deploy_timeout', default=3600, min=1,
                 help='Seconds after which a build that is not done ends in '
                      'error.'),
    cfg.FloatOpt('rebuild_timeout', default=3600, min=1,
                 help='Seconds after which a rebuild that is not done ends '
                      'in error, as soon as its node is not at it.'),
    cfg.FloatOpt('power_timeout', default=300, min=1,
                 help='Seconds after which a power change that is not done '
                      'ends, with the instance as its node really is. A '
                      'delete, a lock and an unlock are tried for as long '
                      'as it takes.'),
    cfg.FloatOpt('late_action_age', default=900, min=1,
                 help='Seconds after which an engine warns, once a minute, '
                      'of an accepted request that is not done. mogan-status '
                      'actions lists all of them.'),
    cfg.FloatOpt('call_timeout', default=5, min=0.1,
                 help='Seconds that the API waits for an answer of an '
                      'engine, which it needs for the list of nodes only.'),
]


def register_opts(conf: Any) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[Any, list[Any]]]:
    return [(GROUP, OPTS)]
