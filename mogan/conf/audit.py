# SPDX-License-Identifier: Apache-2.0
"""[audit]: which requests an event is made of.

Where these events go is in the library's own
[audit_middleware_notifications].
"""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('audit', title='Audit of the requests')

OPTS = [
    cfg.BoolOpt('enabled', default=False,
                help='Whether the API sends a CADF event about each request '
                     'that would change something, accepted or refused.'),
    cfg.StrOpt('audit_map_file', default='/etc/mogan/api_audit_map.conf',
               help='The file that names actions and targets, in the form '
                    "of keystonemiddleware's audit middleware."),
    cfg.ListOpt('ignore_req_list', default=['GET', 'HEAD', 'OPTIONS'],
                help='The methods that no event is made of.'),
]


def register_opts(conf: Any) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[Any, list[Any]]]:
    return [(GROUP, OPTS)]
