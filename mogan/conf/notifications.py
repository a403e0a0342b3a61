# SPDX-License-Identifier: Apache-2.0
"""[notifications]: what others are told of the instances.

Whether anybody is told, and over which broker, is in the library's
[oslo_messaging_notifications].
"""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('notifications', title='What others are told')

OPTS = [
    cfg.ListOpt('topics', default=['versioned_notifications'],
                help='The topics that versioned notifications go to, where '
                     '[oslo_messaging_notifications] driver turns them '
                     'on. The queue of a topic has .info at its end.'),
]


def register_opts(conf: Any) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[Any, list[Any]]]:
    return [(GROUP, OPTS)]
