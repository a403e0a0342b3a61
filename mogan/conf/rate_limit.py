# SPDX-License-Identifier: Apache-2.0
"""[rate_limit]: the rate limits of API requests."""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('rate_limit', title='Rate limits')

_EACH = ('Each process of the API counts separately, so that the limit '
         'multiplies with their number. 0: no rate limit.')

OPTS = [
    cfg.FloatOpt('user_rate', default=0, min=0,
                 help='Rate limit of each user in requests a second. '
                      f'{_EACH}'),
    cfg.IntOpt('user_burst', default=100, min=1,
               help='Number of requests that a user may send in a burst '
                    'after some idle time.'),
    cfg.FloatOpt('address_rate', default=0, min=0,
                 help='Rate limit of each client address in requests a '
                      'second, before authentication; for IPv6, of each /64 '
                      'network. Behind a proxy, [oslo_middleware] '
                      'enable_proxy_headers_parsing has to be set, or all '
                      f'clients are one address. {_EACH}'),
    cfg.IntOpt('address_burst', default=200, min=1,
               help='Number of requests that an address may send in a burst '
                    'after some idle time.'),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str | None, list[Any]]]:
    """Return the options, for the sample configuration."""
    return [(GROUP.name, OPTS)]
