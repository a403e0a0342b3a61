# SPDX-License-Identifier: Apache-2.0
"""The authentication of API requests."""

from typing import Any

from oslo_config import cfg

OPTS = [
    cfg.StrOpt(
        'auth_strategy', default='keystone',
        choices=[
            ('keystone', 'Keystone tokens, see [keystone_authtoken]'),
            ('http_basic', ('HTTP basic authentication of the users in '
                            'http_basic_users_file; only over TLS or on '
                            'the loopback interface')),
            ('noauth', ('no authentication: every caller is an '
                        'administrator; the API listens on loopback '
                        'addresses only'))],
        help='Authentication of API requests.'),
    cfg.StrOpt(
        'http_basic_users_file', default='/etc/mogan/users',
        help='Users file for auth_strategy = http_basic, with one user a '
             'line: name, bcrypt hash of the password, project id and '
             'comma-separated roles, separated by colons. mogan-users '
             'manages it. It is reloaded when it changes.'),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options."""
    conf.register_opts(OPTS)


def list_opts() -> list[tuple[str | None, list[Any]]]:
    """Return the options, for the sample configuration."""
    return [('DEFAULT', OPTS)]
