# SPDX-License-Identifier: Apache-2.0
"""[metrics]: metrics for Prometheus."""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('metrics', title='Metrics for Prometheus')

OPTS = [
    cfg.PortOpt('api_port', default=0,
                help='Port of /metrics and /healthcheck of mogan-api, shared '
                     'by its processes, or of mogan-standalone. 0 disables '
                     'the metrics.'),
    cfg.PortOpt('engine_port', default=0,
                help='The same for mogan-engine.'),
    cfg.HostAddressOpt('host', default='127.0.0.1',
                       help='Address that these ports listen on. Clients '
                            'need no credentials.'),
    cfg.FloatOpt('cache_time', default=5.0, min=0,
                 help='Seconds for which metrics from the database are '
                      'cached.'),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str | None, list[Any]]]:
    """Return the options, for the sample configuration."""
    return [(GROUP.name, OPTS)]
