# SPDX-License-Identifier: Apache-2.0
"""[rate_limit]: how many requests one caller may send."""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('rate_limit', title='How many requests are taken')

_EACH = ('Each process of the API counts for itself, so that several take '
         'that many times as many. 0: no limit.')

OPTS = [
    cfg.FloatOpt('user_rate', default=0, min=0,
                 help=f'Requests a second that one user may send. {_EACH}'),
    cfg.IntOpt('user_burst', default=100, min=1,
               help='How many requests a user may send at once after some '
                    'time without any.'),
    cfg.FloatOpt('address_rate', default=0, min=0,
                 help='Requests a second that one client address may send, '
                      'counted before anybody is asked about credentials; '
                      'for IPv6, one network of 64 bits. Behind a proxy, '
                      '[oslo_middleware] enable_proxy_headers_parsing has '
                      'to be set, or all clients are one address. '
                      f'{_EACH}'),
    cfg.IntOpt('address_burst', default=200, min=1,
               help='How many requests an address may send at once after '
                    'some time without any.'),
]


def register_opts(conf: Any) -> None:
    """Make the options known."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str | None, list[Any]]]:
    """For the sample of the configuration."""
    return [(GROUP.name, OPTS)]
