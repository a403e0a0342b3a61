# SPDX-License-Identifier: Apache-2.0
"""What the model remembers: plain tuples, so that states can be compared.

A state is one node and, for each instance, a *part*: the instance's row, the
numbers that the driver keeps for it, its workers, and its calls that are
still on their way while their worker has stopped or lost its claim.
"""

from typing import Final, NamedTuple

from mogan.states import UNDER_WAY, LockState, Status, Verb

ABSENT: Final = ''      # not created yet
GONE: Final = 'gone'    # deleted

BUILDING: Final = Status.BUILDING.value
ACTIVE: Final = Status.ACTIVE.value
REBUILDING: Final = Status.REBUILDING.value
DELETING: Final = Status.DELETING.value
ERROR: Final = Status.ERROR.value
REBOOTING: Final = Status.REBOOTING.value
UNLOCKED: Final = LockState.UNLOCKED.value
LOCKING: Final = LockState.LOCKING.value
LOCKED: Final = LockState.LOCKED.value
UNLOCKING: Final = LockState.UNLOCKING.value

CREATE: Final = Verb.CREATE.value
DELETE: Final = Verb.DELETE.value
REBUILD: Final = Verb.REBUILD.value
REBOOT: Final = Verb.REBOOT.value
LOCK: Final = Verb.LOCK.value
UNLOCK: Final = Verb.UNLOCK.value
REPAIR: Final = 'repair'    # no request: what the engine does by itself

# The verb of the action that holds a column in a state; machines are not
# taken over here.
VERB_OF: Final = {state.value: verb.value
                  for verb, state in UNDER_WAY.items()
                  if verb is not Verb.ADOPT}

# What callers know of the lock, whatever the row says.
NO_LOCK: Final = 0
ACKNOWLEDGED: Final = 1     # the last answer was to a lock
RELEASING: Final = 2        # the last answer was to an unlock, not done yet

# A worker's claim.
HOLDS: Final = 3
STOLEN: Final = 2   # somebody else's by now, though the lease is not over
EXPIRED: Final = 1  # the lease is over, and nobody has taken it since
LOST: Final = 0     # the lease is over, and somebody else has taken it

# A worker's places.
LOOK: Final = 'look'        # before it asks the driver about the node
CALL: Final = 'call'        # before a call, or while it is on its way
RECORD: Final = 'record'    # before it writes down which node it is
FINISH: Final = 'finish'    # before it writes the outcome
RELEASE: Final = 'release'  # before it lets go of the claim

# What calls ask of the node.
TAKE_NODE: Final = 'claim'
DEPLOY: Final = 'deploy'
REBUILD_NODE: Final = 'rebuild'
UNDEPLOY: Final = 'undeploy'
POWER: Final = 'power'
PROTECT: Final = 'protect'
UNPROTECT: Final = 'unprotect'
SEAL: Final = 'seal'
SEAL_OLDER: Final = 'seal_older'    # everything below the call's number
TEARDOWN: Final = frozenset({DEPLOY, REBUILD_NODE, UNDEPLOY})
DESTRUCTIVE: Final = TEARDOWN | {TAKE_NODE}
PROTECTION: Final = frozenset({PROTECT, UNPROTECT})


class Row(NamedTuple):
    """An instance's row; its unfinished actions' numbers stand in it."""

    status: str = ABSENT
    lock: str = UNLOCKED
    live: bool = False          # somebody holds the claim
    number: int = 0             # of the action that the status names
    started: bool = False
    lock_number: int = 0        # of the action that the lock state names
    on_node: bool = False       # node_uuid is set
    protection: str = 'none'
    promise: int = NO_LOCK
    fence: int = 0              # 0 where the highest number in use says it
    waiting: str = ''           # what an API process is in the middle of


class Worker(NamedTuple):
    """One look at an instance, from its claim until it lets go."""

    verb: str
    number: int
    place: str
    detail: tuple = ()
    named: bool = True          # the row still names its action
    claim: int = HOLDS
    rest: tuple = ()            # the status's action, after the lock's
    name: int = 0


class Late(NamedTuple):
    """A call, or the look before one, of a worker without a claim.

    `bound`: it cannot arrive after the end of the lease that it was sent
    under.
    """

    kind: str
    number: int
    detail: tuple = ()
    bound: bool = False
    name: int = 0


class Fences(NamedTuple):
    """The numbers that the driver keeps for an instance."""

    sealed: int = 0
    protection: int = 0
    power: int = 0
    begun: int = 0
    work: str = ''


class Part(NamedTuple):
    """All that belongs to one instance."""

    row: Row = Row()
    fences: Fences = Fences()
    workers: tuple[Worker, ...] = ()
    late: tuple[Late, ...] = ()


class Node(NamedTuple):
    """The hardware; `meddled`: an outsider has changed its protection since
    the service last saw to it."""

    carries: int = 0            # an instance, from 1 on
    work: str = 'available'     # its availability
    powering: bool = False
    protected: bool = False
    meddled: bool = False

    @property
    def busy(self) -> bool:
        """Whether a deploy, rebuild, undeploy or power change is under
        way."""
        return self.powering or self.work in BUSY


AVAILABLE: Final = 'available'
DEPLOYING: Final = 'deploying'
NODE_ACTIVE: Final = 'active'
NODE_REBUILDING: Final = 'rebuilding'
UNDEPLOYING: Final = 'undeploying'
FAILED: Final = 'failed'
BUSY: Final = frozenset({DEPLOYING, NODE_REBUILDING, UNDEPLOYING})


class Move(NamedTuple):
    """One step of one part (and the node, if any), and what it breaks.

    `helps`: part of what happens by itself once faults are over and nobody
    asks for anything.
    """

    label: tuple
    part: Part
    node: Node | None = None
    helps: bool = False
    breaks: str = ''
