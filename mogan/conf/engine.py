# SPDX-License-Identifier: Apache-2.0
"""[engine]: drivers, timeouts and intervals of the engine."""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('engine', title='The engine')

OPTS = [
    cfg.StrOpt('driver', default='simulated',
               help='Bare-metal driver: the name of an entry point in the '
                    'namespace mogan.baremetal.'),
    cfg.StrOpt('topic', default='mogan-engine',
               help='RPC topic of the engines. All engines and API services '
                    'of one deployment share it.'),
    cfg.HostAddressOpt('host', sample_default='<the host name>',
                       help='Name of this host in claims and logs.'),
    cfg.IntOpt('workers', default=1, min=1,
               help='Number of engine worker processes on this host.'),
    cfg.IntOpt('threads', default=16, min=1, max=256,
               help='Number of instances that one engine process works on at '
                    'the same time. Waiting for hardware takes no thread.'),
    cfg.FloatOpt('sweep_interval', default=1.0, min=0.05,
                 help='Interval in seconds between two polls for work whose '
                      'message was lost or whose engine has died.'),
    cfg.FloatOpt('repair_interval', default=60.0, min=0.1,
                 help='Interval in seconds between two comparisons of all '
                      'nodes with the instances: their power state, whether '
                      'they still exist and are deployed, and their '
                      'protection with the locks. One engine at a time does '
                      'this for all, with one query of the bare-metal '
                      'service for 1,000 nodes.'),
    cfg.FloatOpt('deploy_timeout', default=3600, min=1,
                 help='Timeout of a build in seconds; after that the '
                      'instance has the status error.'),
    cfg.FloatOpt('rebuild_timeout', default=3600, min=1,
                 help='Timeout of a rebuild in seconds; after that the '
                      'instance has the status error, as soon as its node no '
                      'longer works on it.'),
    cfg.FloatOpt('power_timeout', default=300, min=1,
                 help='Timeout of a power change in seconds; after that the '
                      'instance has the status of its node. A delete, a lock '
                      'and an unlock have no timeout: they are retried until '
                      'they succeed.'),
    cfg.FloatOpt('late_action_age', default=900, min=1,
                 help='Age in seconds from which an unfinished action is '
                      'overdue: an engine warns of it once a minute. '
                      'mogan-status actions lists all unfinished actions.'),
    cfg.FloatOpt('call_timeout', default=5, min=0.1,
                 help='Timeout in seconds of RPC calls from the API to an '
                      'engine, which only the lists of nodes and zones '
                      'need.'),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[Any, list[Any]]]:
    return [(GROUP, OPTS)]
