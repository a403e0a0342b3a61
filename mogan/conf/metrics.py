# SPDX-License-Identifier: Apache-2.0
"""[metrics]: figures for Prometheus."""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('metrics', title='Figures for Prometheus')

OPTS = [
    cfg.PortOpt('port', default=0,
                help='The port for /metrics and /healthcheck. Each service '
                     'of a host needs one of its own; the processes of one '
                     'service share it. 0: no figures are kept.'),
    cfg.HostAddressOpt('host', default='127.0.0.1',
                       help='The address that this port is on. Whoever '
                            'reaches it needs no credentials.'),
    cfg.FloatOpt('cache_time', default=5.0, min=0,
                 help='Seconds for which figures are kept that are read '
                      'from the database.'),
]


def register_opts(conf: Any) -> None:
    """Make the options known."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str | None, list[Any]]]:
    """For the sample of the configuration."""
    return [(GROUP.name, OPTS)]
