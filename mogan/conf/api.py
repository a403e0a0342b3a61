# SPDX-License-Identifier: Apache-2.0
"""[api]: the address of the API and the limits of its server."""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('api', title='The API service')

OPTS = [
    cfg.HostAddressOpt(
        'host', default='0.0.0.0',  # noqa: S104 - the service is for others
        help='The address that mogan-api listens on.'),
    cfg.PortOpt('port', default=6688,
                help='The port that mogan-api listens on.'),
    cfg.IntOpt('workers', min=1,
               help='Number of mogan-api worker processes. Defaults to the '
                    'number of processors.'),
    cfg.IntOpt('threads', default=8, min=1,
               help='Number of requests that one process handles at the same '
                    'time. More processes make a busy API faster, not more '
                    'threads.'),
    cfg.URIOpt('public_endpoint', schemes=['http', 'https'],
               help='Public URL of the API, for the links in responses. '
                    'Defaults to the URL of each request.'),
    cfg.IntOpt('timeout', default=30, min=1,
               help='Read timeout, write timeout and keep-alive timeout in '
                    'seconds: the time in which a request has to arrive, '
                    'however slowly its bytes come, in which a client has to '
                    'receive a response, and for which a connection may be '
                    'idle.'),
    cfg.IntOpt('max_connections', default=4096, min=16,
               help='Maximum number of connections of one mogan-api process. '
                    'A further one replaces the one that has waited for its '
                    'client for the longest. The limit of open files is '
                    'raised as far as the system allows, and has to leave '
                    '256 for other files.'),
    cfg.IntOpt('max_keypairs', default=100, min=0,
               help='Quota of key pairs per user.'),
    cfg.StrOpt('tls_cert_file',
               help='Certificate chain (PEM) for HTTPS, with TLS 1.2 or '
                    'newer. It is read again on SIGHUP.'),
    cfg.StrOpt('tls_key_file',
               help='Private key of tls_cert_file, not encrypted; it may be '
                    'in the same file.'),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str | None, list[Any]]]:
    """Return the options, for the sample configuration."""
    return [(GROUP.name, OPTS)]
