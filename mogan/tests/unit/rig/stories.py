# SPDX-License-Identifier: Apache-2.0
"""Histories, written by hand or made up."""

from typing import Final

from mogan import states
from proof import spec
from proof.rig import answers, history, journal, linearize
from proof.rig.history import NEVER, Entry, Operation

VERBS: Final = {
    'lock': states.Verb.LOCK, 'unlock': states.Verb.UNLOCK,
    'delete': states.Verb.DELETE, 'rebuild': states.Verb.REBUILD,
    'power on': states.Verb.POWER_ON, 'power off': states.Verb.POWER_OFF,
    'power soft_off': states.Verb.SOFT_POWER_OFF,
    'power reboot': states.Verb.REBOOT,
    'power soft_reboot': states.Verb.SOFT_REBOOT}


class Story:
    """Writes a history by hand: each line is one time unit."""

    def __init__(self):
        self.operations = []
        self.entries = []
        self.now = 0.0

    def asks(self, kind, answer, *, since=None, until=None, **more):
        """Record a request that nothing overlaps, or one between two times."""
        sent = self.now if since is None else since
        answered = sent + 1 if until is None else until
        if answer == history.UNKNOWN:
            answered = NEVER
        self.operations.append(Operation(
            kind, 'i', sent, answered, answer, **more))
        self.now = max(self.now, sent + 1) + 1
        return self

    def shows(self, status, lock):
        return self.asks('read', f'saw:{status}:{lock}')

    def hardware(self, call, node='n', instance='i', outcome='effect'):
        self.entries.append(Entry(
            len(self.entries) + 1, self.now, self.now + 0.5, call, node,
            instance, 1, outcome))
        self.now += 1
        return self

    def verdict(self):
        return linearize.check(self.operations, self.entries)

    def broken(self):
        return journal.broken_locks(self.operations, self.entries)


def built():
    return (Story().hardware('claim').hardware('deploy')
            .shows('active', 'unlocked'))


def simulated(rng, *, length=40, unknown=0.15, effects=True):
    """Simulate the answers of a correct service: each request takes effect at
    a moment between its question and its answer."""
    moments = []
    now = 1.0
    for _ in range(length):
        now += rng.expovariate(1)
        moments.append((now, 'engine' if rng.random() < 0.4 else 'ask'))
    state, operations, entries = spec.BORN, [], []
    for now, what in moments:
        if what == 'engine':
            ends = spec.engine(state)
            if effects and state.status in {'deleting', 'rebuilding'}:
                call = {'deleting': 'undeploy'}.get(state.status, 'rebuild')
                entries.append(Entry(
                    len(entries) + 1, now - 1e-4, now - 5e-5, call, 'n',
                    'i', 1, 'effect'))
            if ends:
                state = rng.choice(ends)
            continue
        kind = rng.choice([*VERBS, 'lock', 'unlock', 'lock', 'unlock',
                           'delete', 'read', 'read'])
        operator = rng.random() < 0.5
        answer, after = rng.choice(list(answers.outcomes(
            kind, state, operator=operator).items()))
        sent, answered = (now - rng.expovariate(2),
                          now + rng.expovariate(2))
        if rng.random() < unknown:
            # Refused, accepted, or never arrived.
            answer, answered = history.UNKNOWN, NEVER
            state = rng.choice([state, after])
        else:
            state = after
        operations.append(Operation(kind, 'i', sent, answered, answer,
                                    operator=operator))
    return operations, entries
