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
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import yaml
from oslo_config import cfg
from oslo_log import log
from oslo_policy import _checks, opts, policy

from mogan import exception, policies
from mogan.context import RequestContext

LOG = log.getLogger(__name__)

_LOOK_INTERVAL: Final = 1.0  # seconds between two looks at the files
# So many decisions are remembered: the same callers ask the same again.
_REMEMBERED: Final = 4096
_PROJECT: Final = frozenset({'project_id'})
# Checks that depend on nothing but the caller and the target.
_LOCAL: Final = frozenset({
    _checks.TrueCheck, _checks.FalseCheck, _checks.RoleCheck,
    _checks.GenericCheck})


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
    kind: Any = type(rule)
    if _takes_rule(kind):
        return rule(target, creds, enforcer, current_rule)
    return rule(target, creds, enforcer)


_checks._check = _check  # noqa: SLF001 - see there


class PolicyFileError(ValueError):
    """A policy file is not what it has to be."""


class _Nature(NamedTuple):
    targeted: bool
    local: bool


class _Seen(NamedTuple):
    path: str
    changed: int
    size: int
    regular: bool


class _Rules:
    """Rules, and what is known of them by now."""

    def __init__(self, enforcer: policy.Enforcer) -> None:
        self._enforcer = enforcer
        self._rules: dict[str, _Nature] = {}
        self._decisions: dict[tuple[Any, ...], bool] = {}

    def allows(self, rule: str, target: Mapping[str, Any],
               context: RequestContext) -> bool:
        """Whether the caller may.  Raises PolicyNotRegistered."""
        if not self._nature(rule).local or target.keys() - _PROJECT:
            return self._decide(rule, target, context)
        # All that a rule can speak of.
        key = (rule, target.get('project_id', ()), *context.policy_key())
        try:
            return self._decisions[key]
        except KeyError:
            decision = self._decide(rule, target, context)
        if len(self._decisions) >= _REMEMBERED:
            self._decisions.clear()
        self._decisions[key] = decision
        return decision

    def needs_target(self, rule: str) -> bool:
        """Whether the rule looks at what it is about.

        Raises PolicyNotRegistered.
        """
        return self._nature(rule).targeted

    def _decide(self, rule: str, target: Mapping[str, Any],
                context: RequestContext) -> bool:
        return bool(self._enforcer.enforce(
            rule, target, context.to_policy_values()))

    def _nature(self, rule: str) -> _Nature:
        nature = self._rules.get(rule)
        if nature is None:
            if rule not in self._enforcer.registered_rules:
                raise policy.PolicyNotRegistered(rule)
            rules = self._enforcer.rules
            leaves = list(_leaves(rules[rule], rules, set()))
            nature = self._rules[rule] = _Nature(
                any(map(_looks_at_target, leaves)),
                all(type(leaf) in _LOCAL for leaf in leaves))
        return nature


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
        self._sources = _filled(self._stamp)
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
        # Two missing projects would count as the same one.
        return bool(self._current().allows(
            rule, target, context)) and bool(context.project_id)

    def needs_target(self, rule: str) -> bool:
        """Whether the rule looks at what it is about.

        Raises PolicyNotRegistered.
        """
        return self._current().needs_target(rule)

    def _current(self) -> '_Rules':
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
        # What is being written anew is empty at first, and would leave the
        # defaults in force.
        lost = self._sources - _filled(stamp)
        if lost:
            LOG.warning('The rules stay as they were: these files are '
                        'gone or empty: %s', ', '.join(sorted(lost)))
            return
        try:
            # New ones, for other threads are in the middle of the old.
            rules = self._load()
        except PolicyFileError as error:
            LOG.warning('The rules stay as they were: %s', error)
            return
        if self._files() != stamp:
            self._stamp = ()
            return
        self._in_force, self._sources = rules, _filled(stamp)
        LOG.info('The policy files have changed and are in force')

    def _load(self) -> '_Rules':
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
        return _Rules(enforcer)

    def _files(self) -> tuple[_Seen, ...]:
        """What tells that a file has changed, come or gone."""
        options = self._conf.oslo_policy
        seen = []
        for name in (options.policy_file, *options.policy_dirs):
            path = self._conf.find_file(name) if name else None
            if path is None:
                continue
            paths = [path]
            if pathlib.Path(path).is_dir():
                paths += [entry.path for entry in os.scandir(path)
                          if not entry.name.startswith('.')]
            for one in sorted(paths):
                try:
                    status = pathlib.Path(one).stat()
                except OSError:
                    continue
                seen.append(_Seen(
                    one, status.st_mtime_ns, status.st_size,
                    stat.S_ISREG(status.st_mode)))
        return tuple(seen)


def _filled(files: Iterable[_Seen]) -> set[str]:
    return {one.path for one in files if one.regular and one.size}


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


def _leaves(check: Any, rules: Mapping[str, Any],
            seen: set[str]) -> Iterator[Any]:
    """The checks that a rule consists of."""
    if isinstance(check, _checks.RuleCheck):
        if check.match not in seen and check.match in rules:
            seen.add(check.match)
            yield from _leaves(rules[check.match], rules, seen)
    elif isinstance(check, _checks.AndCheck | _checks.OrCheck):
        for part in check.rules:
            yield from _leaves(part, rules, seen)
    elif isinstance(check, _checks.NotCheck):
        yield from _leaves(check.rule, rules, seen)
    else:
        yield check


def _looks_at_target(leaf: Any) -> bool:
    if isinstance(leaf, _checks.RoleCheck | _checks.GenericCheck):
        return '%(' in leaf.match
    # One that asks somebody else sends the target along.
    return not isinstance(leaf, _checks.TrueCheck | _checks.FalseCheck)


def get_enforcer(conf: Any = None) -> policy.Enforcer:
    """An enforcer with our rules; for oslo.policy's commands, too."""
    enforcer = policy.Enforcer(cfg.CONF if conf is None else conf)
    enforcer.register_defaults(policies.list_rules())
    return enforcer
