# SPDX-License-Identifier: Apache-2.0
"""[api]: where the API listens and how it answers."""

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
               help='How many processes mogan-api runs. One for each '
                    'processor where nothing is set.'),
    cfg.IntOpt('threads', default=8, min=1,
               help='How many requests one process works on at a time. More '
                    'processes make a busy API faster, not more threads.'),
    cfg.URIOpt('public_endpoint', schemes=['http', 'https'],
               help='The address of the API as its users know it, for the '
                    'links in the answers. The address that a request came '
                    'to where nothing is set.'),
    cfg.IntOpt('timeout', default=30, min=1,
               help='How many seconds a request may take to arrive, however '
                    'slowly its bytes come, a client to take an answer, and '
                    'a connection to wait for the next request.'),
    cfg.IntOpt('max_connections', default=4096, min=16,
               help='How many connections one process of mogan-api holds. '
                    'When one more comes, the one is closed that has waited '
                    'for its client for the longest. The limit of open '
                    'files is raised for it as far as the system allows, '
                    'and has to leave 256 for others.'),
    cfg.IntOpt('max_keypairs', default=100, min=0,
               help='How many key pairs a user may have.'),
    cfg.StrOpt('tls_cert_file',
               help='The certificate (PEM, with the intermediate ones) that '
                    'mogan-api serves HTTPS with: TLS 1.2 and newer. A '
                    'reload takes a new one.'),
    cfg.StrOpt('tls_key_file',
               help='The private key of tls_cert_file, not encrypted; it '
                    'may be in the same file.'),
]


def register_opts(conf: Any) -> None:
    """Make the options known."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str | None, list[Any]]]:
    """For the sample of the configuration."""
    return [(GROUP.name, OPTS)]
