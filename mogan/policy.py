# SPDX-License-Identifier: Apache-2.0
"""Whether a caller may do something.

The rules' defaults are in `mogan.policies`; the files that override them
are read again when they change, without a restart.
"""

import ast
import functools
import inspect
import os
import pathlib
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import yaml
from oslo_config import cfg
from oslo_log import log
from oslo_policy import _checks, opts, policy

from mogan import exception, policies
from mogan.context import RequestContext

LOG = log.getLogger(__name__)

_LOOK_INTERVAL: Final = 1.0  # seconds between two looks at the files


@functools.cache
def _takes_rule(kind: type) -> bool:
    before_the_rule = ['self', 'target', 'creds', 'enforcer']
    return len(inspect.getfullargspec(kind.__call__).args) > len(
        before_the_rule)


_parsing = threading.Lock()


@functools.cache
def _literal(kind: str) -> str | None:
    """The text of a literal; None where it is the name of a credential."""
    with _parsing:
        try:
            return str(ast.literal_eval(kind))
        except ValueError:
            return None


def _compare(rule: Any, target: Any, creds: Any) -> bool:
    """A comparison, as oslo.policy makes it.

    But that parses the left side each time, which is slow, and Python
    3.11's parser raises SystemError now and then where two threads are in
    it.
    """
    try:
        wanted = rule.match % target
    except KeyError:
        return False
    literal = _literal(rule.kind)
    if literal is not None:
        return bool(wanted == literal)
    return bool(rule._find_in_dict(  # noqa: SLF001 - as the rule itself does
        creds, rule.kind.split('.'), wanted))


def _check(rule: Any, target: Any, creds: Any, enforcer: Any,
           current_rule: str | None) -> Any:
    """oslo.policy's own, which looks at the same signature each time: nine
    tenths of what a decision costs."""
    if type(rule) is _checks.GenericCheck:
        return _compare(rule, target, creds)
    if _takes_rule(type(rule)):
        return rule(target, creds, enforcer, current_rule)
    return rule(target, creds, enforcer)


_checks._check = _check  # noqa: SLF001 - see there


class PolicyFileError(ValueError):
    """A policy file is not what it has to be."""


class Policy:
    """The rules in force; safe to share between threads.

    Raises PolicyFileError.
    """

    def __init__(self, conf: Any) -> None:
        self._conf = conf
        opts.set_defaults(conf)  # makes the options known
        self._lock = threading.Lock()
        self._stamp = self._files()
        self._in_force = self._load()
        self._next_look = time.monotonic() + _LOOK_INTERVAL

    def authorize(self, context: RequestContext, rule: str,
                  target: Mapping[str, Any]) -> None:
        """Raise Forbidden where the caller may not, Unauthorized where
        nobody knows who it is, PolicyNotRegistered for an unknown rule."""
        if not self.check(context, rule, target):
            raise _refusal(context, rule)

    def check(self, context: RequestContext, rule: str,
              target: Mapping[str, Any]) -> bool:
        """Whether the caller may.  Raises PolicyNotRegistered."""
        enforcer, _ = self._current()
        _check_registered(enforcer, rule)
        # Two missing projects would count as the same one.
        if not context.project_id:
            return False
        return bool(enforcer.enforce(
            rule, target, context.to_policy_values()))

    def needs_target(self, rule: str) -> bool:
        """Whether the rule looks at what it is about.

        Raises PolicyNotRegistered.
        """
        enforcer, needing = self._current()
        if rule not in needing:
            _check_registered(enforcer, rule)
            needing[rule] = _looks_at_target(
                enforcer.rules[rule], enforcer.rules, set())
        return needing[rule]

    def _current(self) -> tuple[policy.Enforcer, dict[str, bool]]:
        """The rules, and which of them are known to need the target."""
        now = time.monotonic()
        if now >= self._next_look and self._lock.acquire(blocking=False):
            try:
                self._next_look = now + _LOOK_INTERVAL
                self._look()
            finally:
                self._lock.release()
        return self._in_force

    def _look(self) -> None:
        stamp = self._files()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            # New ones, for other threads are in the middle of the old.
            self._in_force = self._load()
        except PolicyFileError as error:
            LOG.warning('The rules stay as they were: %s', error)
            return
        LOG.info('The policy files have changed and are in force')

    def _load(self) -> tuple[policy.Enforcer, dict[str, bool]]:
        enforcer = get_enforcer(self._conf)
        try:
            enforcer.load_rules(force_reload=True)
        except (OSError, ValueError, TypeError, AttributeError, cfg.Error,
                yaml.YAMLError) as error:
            # The library takes for granted what the file has to hold.
            raise PolicyFileError(
                f'the policy files have to hold rules by their names: '
                f'{error}') from error
        unknown = {name for name in enforcer.file_rules
                   if name.startswith('mogan:')
                   } - enforcer.registered_rules.keys()
        if unknown:
            LOG.warning('The policy files have rules that nothing asks '
                        'for: %s', ', '.join(sorted(unknown)))
        # Otherwise it looks for the files at each decision.
        enforcer.use_conf = False
        return enforcer, {}

    def _files(self) -> tuple[Any, ...]:
        """What tells that a file has changed, come or gone."""
        options = self._conf.oslo_policy
        seen = []
        for name in (options.policy_file, *options.policy_dirs):
            path = self._conf.find_file(name) if name else None
            if path is None:
                continue
            paths = [path]
            if pathlib.Path(path).is_dir():
                paths += [entry.path for entry in os.scandir(path)]
            for one in sorted(paths):
                try:
                    status = pathlib.Path(one).stat()
                except OSError:
                    continue
                seen.append((one, status.st_mtime_ns, status.st_size))
        return tuple(seen)


def _check_registered(enforcer: policy.Enforcer, rule: str) -> None:
    if rule not in enforcer.registered_rules:
        raise policy.PolicyNotRegistered(rule)


def _refusal(context: RequestContext, rule: str) -> exception.MoganError:
    if context.project_id:
        if context.system_scope or context.domain_id:
            return exception.Forbidden(
                'These credentials are not for a project: a '
                'project-scoped token is needed.')
        return exception.Forbidden(rule=rule)
    if context.user_id:
        return exception.Forbidden(
            'These credentials are for no project: a project-scoped token '
            'is needed.')
    return exception.Unauthorized()


def _looks_at_target(check: Any, rules: Mapping[str, Any],
                     seen: set[str]) -> bool:
    if isinstance(check, _checks.RuleCheck):
        if check.match in seen or check.match not in rules:
            return False
        seen.add(check.match)
        return _looks_at_target(rules[check.match], rules, seen)
    if isinstance(check, _checks.AndCheck | _checks.OrCheck):
        return any(_looks_at_target(part, rules, seen)
                   for part in check.rules)
    if isinstance(check, _checks.NotCheck):
        return _looks_at_target(check.rule, rules, seen)
    if isinstance(check, _checks.RoleCheck | _checks.GenericCheck):
        return '%(' in check.match
    # One that asks somebody else sends the target along.
    return not isinstance(check, _checks.TrueCheck | _checks.FalseCheck)


def get_enforcer(conf: Any = None) -> policy.Enforcer:
    """An enforcer with our rules; for oslo.policy's commands, too."""
    enforcer = policy.Enforcer(cfg.CONF if conf is None else conf)
    enforcer.register_defaults(policies.list_rules())
    return enforcer
