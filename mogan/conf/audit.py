# SPDX-License-Identifier: Apache-2.0
"""[audit]: the requests that are recorded as CADF events.

The destination of these events is in the library's own
[audit_middleware_notifications].
"""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('audit', title='Audit of requests')

OPTS = [
    cfg.BoolOpt('enabled', default=False,
                help='Send a CADF event for each request that would change '
                     'something, accepted or refused.'),
    cfg.StrOpt('audit_map_file', deprecated_for_removal=True,
               deprecated_since='1.0.0',
               deprecated_reason='The API knows its own actions and targets.',
               help='Ignored.'),
    cfg.ListOpt('ignore_req_list', default=['GET', 'HEAD', 'OPTIONS'],
                help='HTTP methods of requests that are not recorded.'),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[Any, list[Any]]]:
    return [(GROUP, OPTS)]
