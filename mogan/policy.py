# SPDX-License-Identifier: Apache-2.0
"""The policy enforcer: decides whether a caller may perform an operation.

The default rules are in `mogan.policies`; the files that override them are
reloaded when they change, without a restart.
"""

import ast
import collections
import contextlib
import os
import pathlib
import stat
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

import yaml
from oslo_config import cfg
from oslo_log import log
from oslo_policy import _checks, opts, policy

from mogan import exception, policies, policy_files, policy_rules
from mogan.context import RequestContext
from mogan.policy_files import PolicyFileError

LOG = log.getLogger(__name__)

_POLL_INTERVAL: Final = 1.0  # seconds between two polls of the files
# So many decisions are remembered: the same callers ask the same again.
_REMEMBERED: Final = 4096
_PROJECT: Final = frozenset({'project_id'})
# Each check within another takes some of the stack when it is asked.
_HIGHEST: Final = 64
_PARSES: Final = 3

T = TypeVar('T')


def _parsed(call: Callable[[], T]) -> T:
    """Return the result of a call that parses Python.

    Python 3.11's parser raises SystemError now and then where two threads are
    in it: such a call is made again, a few times.
    """
    for _ in range(_PARSES - 1):
        with contextlib.suppress(SystemError):
            return call()
    return call()


def _fault(leaf: Any) -> str | None:
    """Return the reason why a comparison can never be made, if any."""
    if not isinstance(leaf, _checks.RoleCheck | _checks.GenericCheck):
        return None
    try:
        _ = leaf.match % collections.defaultdict(str)
    except (ValueError, TypeError) as error:
        return f'has {leaf.match}, which cannot be filled in: {error}'
    try:
        _parsed(lambda: ast.literal_eval(leaf.kind))
    except ValueError:
        return None
    except (SyntaxError, TypeError, MemoryError):
        return f'has {leaf.kind}, which is neither a name nor a literal'
    except SystemError as error:
        return f'has {leaf.kind}, which Python cannot parse: {error}'
    return None


class _Nature(NamedTuple):
    targeted: bool
    local: bool


class _Natures(dict[str, _Nature]):
    """The facts about each registered rule."""

    def __init__(self, enforcer: policy.Enforcer) -> None:
        for name in enforcer.registered_rules:
            leaves = list(policy_rules.leaves(enforcer.rules[name],
                                              enforcer.rules))
            self[name] = _Nature(
                any(map(policy_rules.looks_at_target, leaves)),
                all(map(policy_rules.is_local, leaves)))

    def __missing__(self, rule: str) -> _Nature:
        raise policy.PolicyNotRegistered(rule)


class _Seen(NamedTuple):
    path: str
    changed: int
    size: int
    regular: bool


class _Rules:
    """A set of rules, with cached facts and decisions."""

    def __init__(self, enforcer: policy.Enforcer) -> None:
        self._enforcer = enforcer
        self.natures = _Natures(enforcer)
        self._decisions: dict[tuple[Any, ...], bool] = {}

    def allows(self, rule: str, target: Mapping[str, Any],
               context: RequestContext) -> bool:
        """Return whether a rule allows the caller. Raises
        PolicyNotRegistered."""
        if not self.natures[rule].local or target.keys() - _PROJECT:
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

    def roles(self) -> frozenset[str] | None:
        """Return the roles that the rules refer to."""
        return roles(self._enforcer)

    def _decide(self, rule: str, target: Mapping[str, Any],
                context: RequestContext) -> bool:
        values = context.to_policy_values()
        try:
            # oslo.policy parses the left side of a comparison.
            return _parsed(lambda: bool(
                self._enforcer.enforce(rule, target, values)))
        except OSError as error:
            # Whom a rule of the kind http asks is away.
            raise exception.ServiceUnavailable from error


class Policy:
    """The rules in force; safe to share between threads.

    Raises PolicyFileError.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        opts.set_defaults(conf)  # makes the options known
        self._lock = threading.Lock()
        self._stamp = self._files()
        self._in_force = self._load()
        self._sources = _filled(self._stamp)
        missing = policy_files.missing(conf)
        if missing:
            LOG.warning('The policy file %s does not exist: the default '
                        'rules are in force', missing)
        self._next_poll = time.monotonic() + _POLL_INTERVAL

    def authorize(self, context: RequestContext, rule: str,
                  target: Mapping[str, Any]) -> None:
        """Raise Forbidden for a caller whom the rule does not allow,
        Unauthorized for an anonymous one, PolicyNotRegistered for an unknown
        rule."""
        if not self.check(context, rule, target):
            raise _refusal(context, rule)

    def check(self, context: RequestContext, rule: str,
              target: Mapping[str, Any]) -> bool:
        """Return whether a rule allows the caller. Raises
        PolicyNotRegistered."""
        # Two missing projects would count as the same one.
        return bool(self._current().allows(
            rule, target, context)) and bool(context.project_id)

    def needs_target(self, rule: str) -> bool:
        """Return whether a rule depends on its target.

        Raises PolicyNotRegistered.
        """
        return self._current().natures[rule].targeted

    def roles(self) -> frozenset[str] | None:
        """Return the roles that the rules refer to, in lower case; None where
        a rule may refer to any."""
        return self._current().roles()

    def _current(self) -> '_Rules':
        now = time.monotonic()
        if now >= self._next_poll and self._lock.acquire(blocking=False):
            try:
                self._next_poll = now + _POLL_INTERVAL
                self._reload_if_changed()
            finally:
                self._lock.release()
        return self._in_force

    def _reload_if_changed(self) -> None:
        stamp = self._files()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        # What is being written anew is empty at first, and would leave the
        # defaults in force.
        lost = self._sources - _filled(stamp)
        if lost:
            LOG.warning('The policy files were not reloaded: these files '
                        'are missing or empty: %s', ', '.join(sorted(lost)))
            return
        try:
            # New ones, for other threads are in the middle of the old.
            rules = self._load()
        except PolicyFileError as error:
            LOG.warning('The policy files were not reloaded: %s', error)
            return
        if self._files() != stamp:
            self._stamp = ()
            return
        self._in_force, self._sources = rules, _filled(stamp)
        LOG.info('The policy files have changed and were reloaded')

    def _load(self) -> '_Rules':
        enforcer = load(self._conf)
        unknown = {name for name in enforcer.file_rules
                   if name.startswith('mogan:')
                   } - enforcer.registered_rules.keys()
        if unknown:
            LOG.warning('The policy files have unknown rules: %s',
                        ', '.join(sorted(unknown)))
        open_rules = open_to_everybody(enforcer)
        if open_rules:
            LOG.warning('The policy files allow every caller by these '
                        'rules: %s', ', '.join(open_rules))
        # Otherwise it looks for the files at each decision.
        enforcer.use_conf = False
        return _Rules(enforcer)

    def _files(self) -> tuple[_Seen, ...]:
        """Return a stamp that differs once a file has changed, appeared or
        gone."""
        options = self._conf.oslo_policy
        seen = []
        for name in (options.policy_file, *options.policy_dirs):
            path = self._conf.find_file(name) if name else None
            if path is None:
                continue
            paths = [path]
            with contextlib.suppress(OSError):
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


def load(conf: cfg.ConfigOpts) -> policy.Enforcer:
    """Return an enforcer with the rules of the policy files.

    Raises PolicyFileError.
    """
    policy_files.check(conf)
    enforcer = get_enforcer(conf)
    try:
        enforcer.load_rules(force_reload=True)
    except (OSError, ValueError, TypeError, AttributeError, cfg.Error,
            yaml.YAMLError) as error:
        # The library takes for granted what the file has to hold.
        raise PolicyFileError(
            f'the policy files must map names to rules: {error}'
            ) from error
    except RecursionError as error:
        raise PolicyFileError('a rule of the policy files is nested too '
                              'deeply') from error
    # It reads the files again, which may be others by now.
    for name, rule in enforcer.file_rules.items():
        if not isinstance(rule.check_str, str):
            raise PolicyFileError(f'{name} must be a rule as a string')
    _check_answers(enforcer)
    return enforcer


def _check_answers(enforcer: policy.Enforcer) -> None:
    """Raise PolicyFileError for a rule that cannot be evaluated, before its
    first caller finds out."""
    known: dict[str, int] = {}
    for name in enforcer.file_rules:
        check = enforcer.rules[name]
        try:
            if policy_rules.height(check, enforcer.rules, known,
                                   frozenset({name})) > _HIGHEST:
                raise RecursionError
            fault = next(filter(None, map(_fault, policy_rules.leaves(
                check, enforcer.rules))), None)
        except RecursionError:
            fault = 'is nested too deeply'
        except ValueError as error:
            fault = str(error)
        if fault:
            raise PolicyFileError(
                f'the policy files: the rule {name} {fault}')


def roles(enforcer: policy.Enforcer) -> frozenset[str] | None:
    """Return the roles that the rules refer to, in lower case; None where a
    rule may refer to any."""
    return policy_rules.roles(enforcer.rules, enforcer.registered_rules)


def open_to_everybody(enforcer: policy.Enforcer) -> list[str]:
    """Return the rules of the policy files that allow every caller."""
    return sorted(
        name for name, rule in enforcer.file_rules.items()
        if policy_rules.verdict(rule.check, enforcer.rules))


def get_enforcer(conf: cfg.ConfigOpts | None = None) -> policy.Enforcer:
    """Return an enforcer with our rules; also an entry point for oslo.policy's
    commands."""
    enforcer = policy.Enforcer(cfg.CONF if conf is None else conf)
    enforcer.register_defaults(policies.list_rules())
    return enforcer
