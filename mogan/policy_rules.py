# SPDX-License-Identifier: Apache-2.0
"""Properties of a rule that follow from the rule alone."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from oslo_policy import _checks

# Checks that depend on nothing but the caller and the target.
_LOCAL: Final = frozenset({
    _checks.TrueCheck, _checks.FalseCheck, _checks.RoleCheck,
    _checks.GenericCheck})


def leaves(check: Any, rules: Mapping[str, Any],
           seen: set[str] | None = None) -> Iterator[Any]:
    """Yield the checks that a rule consists of."""
    seen = set() if seen is None else seen
    if isinstance(check, _checks.RuleCheck):
        if check.match not in seen and check.match in rules:
            seen.add(check.match)
            yield from leaves(rules[check.match], rules, seen)
    elif isinstance(check, _checks.AndCheck | _checks.OrCheck):
        for part in check.rules:
            yield from leaves(part, rules, seen)
    elif isinstance(check, _checks.NotCheck):
        yield from leaves(check.rule, rules, seen)
    else:
        yield check


def is_local(leaf: Any) -> bool:
    """Return whether a check queries no other service."""
    return type(leaf) in _LOCAL


def looks_at_target(leaf: Any) -> bool:
    """Return whether a check depends on the target."""
    if isinstance(leaf, _checks.RoleCheck | _checks.GenericCheck):
        return '%(' in leaf.match
    # One that asks somebody else sends the target along.
    return not isinstance(leaf, _checks.TrueCheck | _checks.FalseCheck)


def height(check: Any, rules: Mapping[str, Any], known: dict[str, int],
           within: frozenset[str]) -> int:
    """Return the nesting depth of a rule's checks; `known` caches the depths
    of other rules, `within` are the enclosing rules.

    Raises ValueError for a rule that refers back to one of these.
    """
    parts: list[Any] = []
    if isinstance(check, _checks.RuleCheck):
        name = check.match
        if name in within:
            raise ValueError(f'refers back to rule:{name} in a cycle')
        if name not in known and name in rules:
            known[name] = height(rules[name], rules, known, within | {name})
        return 1 + known.get(name, 0)
    if isinstance(check, _checks.NotCheck):
        parts = [check.rule]
    elif isinstance(check, _checks.AndCheck | _checks.OrCheck):
        parts = check.rules
    return 1 + max((height(part, rules, known, within) for part in parts),
                   default=0)


def verdict(check: Any, rules: Mapping[str, Any],
            seen: frozenset[str] = frozenset()) -> bool | None:
    """Return the decision of a rule that decides alike for everybody, else
    None."""
    if isinstance(check, _checks.TrueCheck | _checks.FalseCheck):
        return isinstance(check, _checks.TrueCheck)
    if isinstance(check, _checks.RuleCheck):
        return _of_another(check.match, rules, seen)
    if isinstance(check, _checks.NotCheck):
        inner = verdict(check.rule, rules, seen)
        return None if inner is None else not inner
    if isinstance(check, _checks.AndCheck | _checks.OrCheck):
        return _of_parts([verdict(part, rules, seen) for part in check.rules],
                         decisive=isinstance(check, _checks.OrCheck))
    return None


def _of_another(name: str, rules: Mapping[str, Any],
                seen: frozenset[str]) -> bool | None:
    if name in seen:
        return None
    try:
        # There may be a default for a rule that does not exist.
        check = rules[name]
    except KeyError:
        return False
    return verdict(check, rules, seen | {name})


def _of_parts(parts: Collection[bool | None], *,
              decisive: bool) -> bool | None:
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def roles(rules: Mapping[str, Any],
          names: Iterable[str]) -> frozenset[str] | None:
    """Return the roles that these rules refer to, in lower case; None where
    they cannot be determined: a rule queries another service, or depends on
    its target."""
    found = set()
    for name in names:
        for leaf in leaves(rules[name], rules):
            if not is_local(leaf):
                return None
            if isinstance(leaf, _checks.RoleCheck) or (
                    isinstance(leaf, _checks.GenericCheck)
                    and leaf.kind == 'roles'):
                if looks_at_target(leaf):
                    return None
                found.add(leaf.match.lower())
    return frozenset(found)
