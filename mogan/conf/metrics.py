# SPDX-License-Identifier: Apache-2.0
"""[metrics]: figures for Prometheus."""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('metrics', title='Figures for Prometheus')

OPTS = [
    cfg.PortOpt('api_port', default=0,
                help='The port for /metrics and /healthcheck of mogan-api, '
                     'whose processes share it, or of mogan-standalone. 0: '
                     'no figures are kept.'),
    cfg.PortOpt('engine_port', default=0,
                help='The same for mogan-engine.'),
    cfg.HostAddressOpt('host', default='127.0.0.1',
                       help='The address that these ports are on. Whoever '
                            'reaches them needs no credentials.'),
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
