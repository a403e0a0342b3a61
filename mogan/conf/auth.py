# SPDX-License-Identifier: Apache-2.0
"""How the API knows who is asking."""

from typing import Any

from oslo_config import cfg

OPTS = [
    cfg.StrOpt(
        'auth_strategy', default='keystone',
        choices=[
            ('keystone', 'tokens of Keystone, see [keystone_authtoken]'),
            ('http_basic', ('passwords of the users in '
                            'http_basic_users_file; only over TLS or on '
                            'the loopback interface')),
            ('noauth', ('everybody is the administrator; refuses to listen '
                        'on any other address than a loopback one'))],
        help='How the API knows who is asking.'),
    cfg.StrOpt(
        'http_basic_users_file', default='/etc/mogan/users',
        help='The users for auth_strategy = http_basic, one a line: name, '
             'bcrypt hash of the password, project id, and roles with '
             'commas between them, with a colon between each of the four. '
             'mogan-users writes it. It is read again when it changes.'),
]


def register_opts(conf: Any) -> None:
    """Make the options known."""
    conf.register_opts(OPTS)


def list_opts() -> list[tuple[str | None, list[Any]]]:
    """For the sample of the configuration."""
    return [('DEFAULT', OPTS)]
