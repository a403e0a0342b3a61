# SPDX-License-Identifier: Apache-2.0
"""The rules of the protocol; each can be dropped to see why it is there."""

import dataclasses
from typing import Final, Literal

FENCING: Final = 'fencing'
CLAIMS: Final = 'claims'


# Compared by identity: they are asked for at every step.
@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """The protocol: as implemented, unless something else is asked for."""

    # fencing: the driver compares numbers in the step of the effect.
    # claims: it does not; a call arrives before the end of the lease that
    # it was sent under, or never.
    driver: str = FENCING

    # Requests.
    delete_needs_unlocked: bool = True
    rebuild_needs_unlocked: bool = True
    lock_needs_lockable: bool = True
    check_constraint: bool = True
    one_statement: bool = True
    durable_first: bool = True
    requests_count: bool = True     # each takes a new number
    delete_turns_back: bool = False
    recovery_ends_deletes: bool = False

    # Claims.
    claim: Literal['instance', 'action', 'none'] = 'instance'
    superseding_keeps_claim: bool = True
    lease_checked: bool = True      # the self-fence before each call
    renewed: bool = True            # before each call that destroys
    # One that ends further ahead than a lease may be taken after a watch
    # that has seen it unchanged; same claim: renewals do not count.
    ahead_taken: Literal['unchanged', 'same claim', 'at once', 'never'] = (
        'unchanged')
    unknown_stops: bool = True
    finish_names_action: bool = True
    finish_names_claim: bool = True     # claim_seq beside claim_by
    finish_needs_live: bool = True
    release_needs_claim: bool = True
    record_needs_claim: bool = True
    repairs_count: bool = True      # each takes a new number
    repair_waits: bool = True       # for a lock or unlock under way
    repair_rereads: bool = True     # the row, with its claim

    # Settling.
    build_seals: bool = True
    rebuild_seals: bool = True
    delete_seals: bool = False          # its own number, at the end
    delete_seals_older: bool = True     # before it polls for the last time
    # sealed: a rebuild ends when its node is idle behind the seal; seen: it
    # was idle before; never: one that takes too long does not ask.
    rebuild_waits: Literal['sealed', 'seen', 'never'] = 'sealed'
    not_protectable_settles: bool = True
    not_ours_settles: bool = True
    protects_own: bool = True       # and no protection of somebody else's
    foreign_settles: bool = True    # a lock or unlock that meets one
    delete_unprotects: bool = True
    repairs: bool = True
    follows: bool = True        # the row what the node is
    begun_kept: bool = True         # that the driver has begun

    # The driver.
    checks_instance: bool = True
    protection_fenced: bool = True
    begun_fenced: bool = True       # below the number that took effect
    repeats_recognized: bool = True
    undeploy_is_fenced: bool = True

    @property
    def fencing(self) -> bool:
        """Return whether the driver compares numbers."""
        return self.driver == FENCING

    @property
    def losers_stop(self) -> bool:
        """Return whether a worker without its claim can do nothing any more
        but make the call that it stands before."""
        return (self.finish_names_claim and self.finish_needs_live
                and self.release_needs_claim and self.record_needs_claim
                and self.claim != 'none')

    @property
    def explicit_fence(self) -> bool:
        """Return whether a new number may be one that is in use already."""
        return not (self.requests_count and self.repairs_count)


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of an exploration.

    `engines`: workers of one instance.  `late`: calls of one instance that
    are on their way while their worker has stopped or lost its claim.
    """

    engines: int = 2
    late: int = 1
    instances: int = 1
    meddling: bool = True       # outsiders undeploy and unprotect
    foreign: bool = False   # and protect, for reasons of their own
    faults: bool = True         # calls fail, work fails
    power: bool = False     # reboots too
    clock: bool = False     # the database's goes back
    successor: bool = False     # an instance that has the node after another
    mishaps: bool = True        # workers stop, leases end, answers get lost

    def of(self, instance: int) -> 'Bounds':
        """Return the bounds of one instance.

        The second one comes when the node is free.  It is there to be hit by
        what is left of the first: it is locked and deleted, and its own
        work meets no mishaps, which the first one's have shown already.
        """
        if instance == 1:
            return self
        return dataclasses.replace(
            self, late=0, faults=False, mishaps=False, successor=True,
            power=False, clock=False, foreign=False)
