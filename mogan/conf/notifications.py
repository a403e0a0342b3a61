# SPDX-License-Identifier: Apache-2.0
"""[notifications]: versioned notifications about instances.

The driver, which turns them on, and the broker are in the library's
[oslo_messaging_notifications].
"""

from typing import Any

from oslo_config import cfg

GROUP = cfg.OptGroup('notifications', title='Versioned notifications')

OPTS = [
    cfg.ListOpt('topics', default=['versioned_notifications'],
                help='Topics of versioned notifications, which '
                     '[oslo_messaging_notifications] driver enables. The '
                     'name of a queue is its topic with the suffix .info.'),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[Any, list[Any]]]:
    return [(GROUP, OPTS)]
