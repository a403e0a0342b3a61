# SPDX-License-Identifier: Apache-2.0
"""Tables of the states and the verbs, made from mogan.states at build time.

`.. state-table:: NAME` puts one of `TABLES` in its place.  A state or verb
without a description here ends the build.
"""

import types

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList

from mogan import states
from mogan.states import LockState, Status, Verb

STATUS_MEANING = {
    Status.BUILDING: 'A node is being claimed and the image is being deployed '
                     'on it, or a deployed machine is being adopted.',
    Status.ACTIVE: 'The node is deployed and powered on.',
    Status.STOPPED: 'The node is deployed and powered off.',
    Status.POWERING_ON: 'The node is being powered on.',
    Status.POWERING_OFF: 'The node is being powered off.',
    Status.SOFT_POWERING_OFF: 'The operating system has been asked to shut '
                              'down.',
    Status.REBOOTING: 'The node is being power cycled.',
    Status.SOFT_REBOOTING: 'The operating system has been asked to restart.',
    Status.REBUILDING: 'An image is being deployed on the same node. All data '
                       'on it is lost.',
    Status.DELETING: 'The node is being wiped and released. This cannot be '
                     'cancelled.',
    Status.ERROR: 'The work has failed; ``fault`` has the reason.',
}
LOCK_MEANING = {
    LockState.UNLOCKED: 'The instance is not locked.',
    LockState.LOCKING: 'The lock has been accepted and holds. The engine is '
                       'protecting the node.',
    LockState.LOCKED: 'The lock holds, and the engine has done its part.',
    LockState.UNLOCKING: 'The unlock has been accepted. The lock holds '
                         'until the engine has removed the protection of '
                         'the node.',
}
# How a request for each verb is written, and its answer where it is taken.
REQUESTS = {
    Verb.DELETE: ('DELETE', 204),
    Verb.REBUILD: ('provision: rebuild', 202),
    Verb.POWER_ON: ('power: on', 202),
    Verb.POWER_OFF: ('power: off', 202),
    Verb.SOFT_POWER_OFF: ('power: soft_off', 202),
    Verb.REBOOT: ('power: reboot', 202),
    Verb.SOFT_REBOOT: ('power: soft_reboot', 202),
    Verb.LOCK: ('lock', 202),
    Verb.UNLOCK: ('unlock', 202),
}
REFUSED = '409'


def literal(words):
    return ', '.join(f'``{word}``' for word in words)


def in_order(found):
    """States in the order of their declaration, a gone instance last."""
    every = [*Status, *LockState]
    return [state.value for state in every if state in found] + [
        'gone' for state in found if state is states.GONE]


def statuses():
    yield 'status', 'meaning', 'verbs', 'ends in'
    for status in Status:
        verbs = [REQUESTS[verb][0] for verb in REQUESTS
                 if judged(verb, status, LockState.UNLOCKED)
                 not in {REFUSED, unchanged(verb)}
                 and verb is not Verb.UNLOCK]
        yield (literal([status]), STATUS_MEANING[status],
               ', '.join(verbs) or 'none',
               literal(in_order(states.ENDS.get(status, ())))
               or resting(status))


def resting(status):
    return 'stays, or follows the node: ' + literal(
        in_order(states.FOLLOWS[status]))


def lock_states():
    yield 'lock_state', '``locked``', 'meaning', 'delete and rebuild'
    for lock_state in LockState:
        free = judged(Verb.DELETE, Status.ACTIVE, lock_state) != REFUSED
        yield (literal([lock_state]),
               '``false``' if lock_state is LockState.UNLOCKED
               else '``true``',
               LOCK_MEANING[lock_state], 'allowed' if free else 'refused')


def arrows():
    yield 'verb', 'from', 'in progress', 'ends in', 'requires'
    for verb, ways in states.ARROWS.items():
        for arrow in ways:
            yield (REQUESTS[verb][0], literal(in_order(arrow.sources)),
                   literal([arrow.target]),
                   literal(in_order(states.ENDS[arrow.target])),
                   requirements(arrow))


def requirements(arrow):
    words = []
    if arrow.lock_states != states.EVERY_LOCK_STATE:
        words.append('lock_state ' + literal(in_order(arrow.lock_states))
                     + (', or an operator'
                        if arrow.operable else ''))
    if arrow.statuses != states.EVERY_STATUS:
        words.append('status other than ' + literal(in_order(
            states.EVERY_STATUS - arrow.statuses)))
    if arrow.needs_node:
        words.append('a node')
    if arrow.supersedes:
        words.append('supersedes the action in progress')
    return '; '.join(words) or 'nothing'


def judged(verb, status, lock_state, *, operate_locked=False):
    """The answer to a request, with the state that it leads to."""
    verdict = states.judge(verb, status, lock_state, has_node=True,
                           operate_locked=operate_locked)
    code = REQUESTS[verb][1]
    match verdict:
        case states.Arrow():
            return f'{code} ``{verdict.target}``'
        case states.Unchanged():
            return unchanged(verb)
        case _:
            return REFUSED


def unchanged(verb):
    return f'{REQUESTS[verb][1]} unchanged'


def answers():
    """Verbs against statuses, without a lock."""
    verbs = [verb for verb in REQUESTS if verb is not Verb.UNLOCK]
    yield ('status', *(REQUESTS[verb][0] for verb in verbs))
    for status in Status:
        yield (literal([status]), *(
            judged(verb, status, LockState.UNLOCKED) for verb in verbs))


def locked_answers():
    """Verbs against lock states, for an active instance."""
    verbs = [Verb.LOCK, Verb.UNLOCK, Verb.DELETE, Verb.REBUILD,
             Verb.REBOOT]
    yield ('lock_state', *(REQUESTS[verb][0] for verb in verbs),
           f'{REQUESTS[Verb.REBOOT][0]}, by an operator')
    for lock_state in LockState:
        yield (literal([lock_state]), *(
            judged(verb, Status.ACTIVE, lock_state) for verb in verbs),
            judged(Verb.REBOOT, Status.ACTIVE, lock_state,
                   operate_locked=True))


TABLES = {'statuses': statuses, 'lock-states': lock_states, 'arrows': arrows,
          'answers': answers, 'locked-answers': locked_answers}


class StateTable(Directive):
    """One of the tables, as a list-table."""

    required_arguments = 1
    option_spec = types.MappingProxyType({'widths': directives.unchanged})

    def run(self):
        name = self.arguments[0]
        if name not in TABLES:
            raise self.error(f'there is no state table {name}')
        lines = ['.. list-table::', '   :header-rows: 1']
        if 'widths' in self.options:
            lines.append(f'   :widths: {self.options["widths"]}')
        lines.append('')
        for row in TABLES[name]():
            for position, cell in enumerate(row):
                lines.append(f'   {" " if position else "*"} - {cell}')
        block = nodes.Element()
        self.state.nested_parse(
            StringList(lines, source=f'mogan.states ({name})'),
            self.content_offset, block)
        return block.children


def setup(app):
    app.add_directive('state-table', StateTable)
    # The pages follow the code, which Sphinx does not watch.
    return {'version': '1', 'parallel_read_safe': True}
