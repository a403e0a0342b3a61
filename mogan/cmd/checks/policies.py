# SPDX-License-Identifier: Apache-2.0
"""Checks of the policy files."""

import re
from typing import Any, Final

from oslo_config import cfg
from oslo_policy import _checks
from oslo_upgradecheck import common_checks, upgradecheck

from mogan import policy, policy_files
from mogan.api.middleware.auth import users
from mogan.conf import CONF

# How one rule speaks of another.
_REFERENCE: Final = re.compile(r'\brule:([^\s()]+)')

Code = upgradecheck.Code
Result = upgradecheck.Result


def _format(commands: Any) -> Result:
    try:
        result: Result = common_checks.check_policy_json(commands, CONF)
    except OSError as error:
        return Result(Code.FAILURE, f'{error.filename}: {error.strerror}.')
    return result


def _policies(conf: cfg.ConfigOpts) -> Result:
    """Find misspelt rules, which are no error for the services: they ask for
    the rule as it is spelt in the code."""
    try:
        enforcer = policy.load(conf)
    except policy_files.PolicyFileError as error:
        return Result(Code.FAILURE, str(error))
    used = {name: set(_REFERENCE.findall(str(check)))
            for name, check in enforcer.rules.items()}
    faults = [f'{name} is an unknown rule'
              for name in enforcer.file_rules.keys()
              - enforcer.registered_rules.keys() - set().union(
                  *used.values())]
    faults += [f'{name} refers to the rule {other}, which does not exist'
               for name, others in used.items()
               for other in others - enforcer.rules.keys()]
    # The library takes it for one that allows nobody.
    faults += [f'{name} cannot be parsed'
               for name, rule in enforcer.file_rules.items()
               if isinstance(rule.check, _checks.FalseCheck)
               and rule.check_str != '!']
    if faults:
        return Result(Code.FAILURE, 'The policy files have errors: '
                                    f'{"; ".join(sorted(faults))}.')
    warnings = [f'{name} allows every caller'
                for name in policy.open_to_everybody(enforcer)]
    missing = policy_files.missing(conf)
    if missing:
        warnings.append(f'the policy file {missing} does not exist: the '
                        f'default rules are in force')
    if warnings:
        return Result(Code.WARNING, f'{"; ".join(warnings)}.')
    return Result(Code.SUCCESS)


def _roles(conf: cfg.ConfigOpts) -> Result:
    """Find misspelt roles in the users file, which are no error for the
    services either: their users are denied unless another role allows the
    request."""
    if conf.auth_strategy != 'http_basic':
        return Result(Code.SUCCESS)
    try:
        known = policy.roles(policy.load(conf))
        found = users.read(conf.http_basic_users_file, known)
    except (policy_files.PolicyFileError, users.UsersFileError) as error:
        return Result(Code.FAILURE, str(error))
    unknown = users.unknown_roles(found.values(), known)
    if not unknown:
        return Result(Code.SUCCESS)
    return Result(Code.WARNING, f'No policy rule refers to these roles in '
                                f'the users file: {unknown}.')


CHECKS: Final = (
    ('Policy file', _format),
    ('Policies', lambda _: _policies(CONF)),
    ('Users', lambda _: _roles(CONF)),
)
