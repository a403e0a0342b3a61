# SPDX-License-Identifier: Apache-2.0
"""The states of the model: plain tuples, so that they can be compared.

A state is one node and, for each instance, a *part*: the instance's row, the
numbers that the driver keeps for it, its workers, and its calls that are
still on their way while their worker has stopped or lost its claim.
"""

from typing import Final, NamedTuple

from mogan.baremetal.driver import PowerTarget
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
SOFT_REBOOT: Final = Verb.SOFT_REBOOT.value
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

# A live claim whose end lies further ahead than a lease, for the database's
# clock has gone back.
AHEAD: Final = 'ahead'
WATCHED: Final = 'watched'  # and is as it was when another engine saw it
RENEWED: Final = 'renewed'  # though it is not, an engine believes so

# A worker's places.
POLL: Final = 'poll'        # before it asks the driver about the node
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
SOFT_POWER: Final = 'soft power'
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
    ahead: str = ''             # its end, after the clock has gone back
    number: int = 0             # of the action that the status names
    started: bool = False
    lock_number: int = 0        # of the action that the lock state names
    on_node: bool = False       # node_uuid is set
    protection: str = 'none'
    promise: int = NO_LOCK
    fence: int = 0              # 0 where the highest number in use says it
    waiting: str = ''           # what an API process is in the middle of


class Worker(NamedTuple):
    """One visit to an instance, from its claim until it lets go."""

    verb: str
    number: int
    place: str
    detail: tuple = ()
    named: bool = True          # the row still names its action
    claim: int = HOLDS
    # The status's action, after the lock's: its number, whether it has
    # begun and is still named, its verb.
    rest: tuple = ()
    name: int = 0


class Late(NamedTuple):
    """A call, or the poll before one, of a worker without a claim.

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
    """The hardware; `foreign`: its protection is somebody else's; `meddled`:
    an outsider has taken off what protected it, and the service has not
    seen to it since."""

    carries: int = 0            # an instance, from 1 on
    work: str = 'available'     # its availability
    powering: str = ''          # how its power is being changed
    protected: bool = False
    foreign: bool = False
    meddled: bool = False

    @property
    def busy(self) -> bool:
        """Return whether a deploy, rebuild, undeploy or power change is under
        way."""
        return bool(self.powering) or self.work in BUSY


AVAILABLE: Final = 'available'
DEPLOYING: Final = 'deploying'
NODE_ACTIVE: Final = 'active'
NODE_REBUILDING: Final = 'rebuilding'
UNDEPLOYING: Final = 'undeploying'
FAILED: Final = 'failed'
BUSY: Final = frozenset({DEPLOYING, NODE_REBUILDING, UNDEPLOYING})
WORKS: Final = (AVAILABLE, *sorted(BUSY), NODE_ACTIVE, FAILED)
# Changes of power that wait for no operating system, and that do.
FORCED: Final = PowerTarget.REBOOT.value
SOFT: Final = PowerTarget.SOFT_REBOOT.value
POWERS: Final = ('', FORCED, SOFT)


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
