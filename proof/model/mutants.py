# SPDX-License-Identifier: Apache-2.0
"""The protocol with one rule dropped: each breaks something, or is named as
one that something else makes up for."""

import dataclasses
from typing import Any, Final

from proof.model.explorer import Explorer, Result
from proof.model.rules import CLAIMS, FENCING, Bounds, Rules

# Where a mutant is explored: drivers and bounds.
_SMALL: Final = Bounds(late=1)
_NUMBERS: Final = ((FENCING, _SMALL),)
_LEASES: Final = ((CLAIMS, _SMALL),)
_BOTH: Final = _NUMBERS + _LEASES
_TWO: Final = ((FENCING, Bounds(late=1, instances=2)),)
_HELD: Final = ((FENCING, Bounds(late=1, foreign=True)),
                (CLAIMS, Bounds(late=1, foreign=True)))
_BACK: Final = ((CLAIMS, Bounds(late=1, clock=True)),)
# Where workers without a claim go on, there are more states.
_GOING_ON: Final = (*_LEASES, (FENCING, Bounds(
    late=0, meddling=False, faults=False)))
_L1: Final = 'L1'


@dataclasses.dataclass(frozen=True, slots=True)
class Mutant:
    """The protocol with some rules changed, and where that shows.

    `redundant`: why nothing breaks.  `seek` picks, of all that breaks, the
    most telling.
    """

    name: str
    changes: dict[str, Any]
    where: tuple[tuple[str, Bounds], ...] = _NUMBERS
    seek: str = ''
    redundant: str = ''

    def run(self, protocol: Rules) -> Result:
        """Explore until something breaks."""
        states, seconds = 0, 0.0
        for driver, bounds in self.where:
            rules = dataclasses.replace(protocol, driver=driver,
                                        **self.changes)
            result = Explorer(rules, bounds, seek=self.seek).run()
            states += result.states
            seconds += result.seconds
            if result.broken:
                break
        return dataclasses.replace(result, states=states, seconds=seconds)


def _dropped(rule: str, *others: str) -> dict[str, Any]:
    return dict.fromkeys((rule, *others), False)


MUTANTS: Final = (
    # Requests.
    Mutant('the API reads, decides, then writes',
           _dropped('one_statement', 'check_constraint')),
    Mutant('a delete does not ask for the lock, and there is no CHECK',
           _dropped('delete_needs_unlocked', 'check_constraint')),
    Mutant('a delete does not ask for the lock',
           _dropped('delete_needs_unlocked'),
           redundant='the CHECK refuses it too, but as a fault, not as a '
                     '409 that explains itself'),
    Mutant('a rebuild does not ask for the lock, and there is no CHECK',
           _dropped('rebuild_needs_unlocked', 'check_constraint')),
    Mutant('a rebuild does not ask for the lock',
           _dropped('rebuild_needs_unlocked'),
           redundant='as with a delete'),
    Mutant('a lock does not ask for the status, and there is no CHECK',
           _dropped('lock_needs_lockable', 'check_constraint')),
    Mutant('a lock does not ask for the status',
           _dropped('lock_needs_lockable'), redundant='as with a delete'),
    Mutant('there is no CHECK', _dropped('check_constraint'), _BOTH,
           redundant='the guards of the requests do not need it'),
    Mutant('a lock is answered before it is durable',
           _dropped('durable_first')),
    Mutant('a delete that meets an obstacle turns back to error',
           {'delete_turns_back': True}, seek=_L1),
    Mutant('a recovery moves a delete that is stuck to error',
           {'recovery_ends_deletes': True}, seek='undeploy'),
    # Claims.
    Mutant('there are no claims', {'claim': 'none'}, _LEASES, seek=_L1),
    Mutant('a claim is one of an action', {'claim': 'action'}, _LEASES),
    Mutant('an action that supersedes another releases the claim',
           _dropped('superseding_keeps_claim'), _LEASES),
    Mutant('a worker does not check its lease before a call',
           _dropped('lease_checked'), _LEASES, seek=_L1),
    Mutant('a lease is not renewed before a call that destroys',
           _dropped('renewed'), _BOTH,
           redundant='the check of the lease is enough without a fencing '
                     'driver, the number with one'),
    Mutant('a worker goes on after an unknown outcome',
           _dropped('unknown_stops'), _LEASES, seek=_L1),
    Mutant('a claim that ends further ahead than a lease is taken at once',
           {'ahead_taken': 'at once'}, _BACK, seek=_L1),
    Mutant('a claim is watched without regard to its renewals',
           {'ahead_taken': 'same claim'}, _BACK, seek=_L1),
    Mutant('a claim that ends further ahead than a lease is never taken',
           {'ahead_taken': 'never'}, _BACK, seek='stuck'),
    Mutant('an outcome is written for whatever action the row names',
           _dropped('finish_names_action')),
    Mutant('an outcome is written under any claim of the same process',
           _dropped('finish_names_claim'), _LEASES, seek=_L1),
    Mutant('an outcome is written under a claim whose lease is over',
           _dropped('finish_needs_live'), _GOING_ON,
           redundant='nobody has claimed the instance since, or the '
                     "claim's number would tell"),
    Mutant('a claim is released by one who does not hold it',
           _dropped('release_needs_claim'), _LEASES, seek=_L1),
    Mutant('the node is recorded without a check of claim and action',
           _dropped('record_needs_claim'), _GOING_ON,
           redundant='the node that is recorded is the one that carries the '
                     'instance'),
    # Numbers.
    Mutant('requests do not count up the fence',
           _dropped('requests_count')),
    Mutant('repairs do not count up the fence', _dropped('repairs_count'),
           redundant='repairs between two requests want the same'),
    Mutant('a build ends without a seal', _dropped('build_seals'), seek=_L1),
    Mutant('a rebuild ends without a seal', _dropped('rebuild_seals'),
           seek=_L1),
    Mutant('a rebuild is given up while its node is at it',
           {'rebuild_waits': 'never'}, _LEASES, seek='still being rebuilt'),
    Mutant('a rebuild ends by a poll from before the seal',
           {'rebuild_waits': 'seen'}),
    Mutant('the seal comes after the outcome',
           _dropped('build_seals', 'rebuild_seals'), seek=_L1),
    Mutant('a delete polls the node without having sealed what is older',
           _dropped('delete_seals_older')),
    Mutant('a delete seals its own number, and polls no more',
           _dropped('delete_seals_older') | {'delete_seals': True}),
    Mutant('a delete that has sealed what it may still need is stuck',
           _dropped('delete_seals_older') | {'delete_seals': True},
           seek='stuck'),
    Mutant('protect and unprotect are not fenced',
           _dropped('protection_fenced')),
    Mutant('an undeploy is not fenced', _dropped('undeploy_is_fenced'),
           redundant='a delete has no other end than that the node is not '
                     'ours any more'),
    Mutant('a call below the number that took effect last is let through',
           _dropped('begun_fenced'),
           redundant='the seals are above it where it matters'),
    Mutant('a call that is repeated takes effect again',
           _dropped('repeats_recognized'),
           redundant='a second installation breaks no promise'),
    Mutant('the driver does not ask which instance the node carries',
           _dropped('checks_instance'), where=_TWO),
    # Ends.
    Mutant('a node that cannot be protected is tried for ever',
           _dropped('not_protectable_settles')),
    Mutant('a node that is not ours any more is tried for ever',
           _dropped('not_ours_settles')),
    Mutant('a protection of somebody else is taken off',
           _dropped('protects_own'), _HELD),
    Mutant('a lock that meets a protection of somebody else is tried for '
           'ever', _dropped('foreign_settles'), _HELD, seek='stuck'),
    Mutant('that a rebuild has begun is not kept', _dropped('begun_kept')),
    Mutant('a delete does not take off a protection that it finds',
           _dropped('delete_unprotects'), _BOTH,
           redundant='the repair does'),
    Mutant('there are no repairs', _dropped('repairs')),
    Mutant('a repair does not wait for a lock or unlock under way',
           _dropped('repair_waits')),
    Mutant('a repair goes by what the round saw, not by the row as claimed',
           _dropped('repair_rereads')),
)
