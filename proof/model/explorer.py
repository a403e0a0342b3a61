# SPDX-License-Identifier: Apache-2.0
"""Breadth-first search over all states, and backwards from settled ones."""

import array
import dataclasses
import gc
import resource
import time
from collections.abc import Iterator
from typing import Final

from proof.model import node as hardware
from proof.model import properties, requests, workers
from proof.model.numbers import tidy
from proof.model.rules import Bounds, Rules
from proof.model.state import ABSENT, Move, Node, Part

_BITS: Final = 26
_MASK: Final = (1 << _BITS) - 1


@dataclasses.dataclass(slots=True)
class Result:
    """The result of an exploration; `path` leads to what is broken."""

    rules: Rules
    bounds: Bounds
    states: int = 0
    steps: int = 0
    depth: int = 0
    seconds: float = 0.0
    megabytes: int = 0
    unreached: list[str] = dataclasses.field(default_factory=list)
    broken: str = ''
    path: list[tuple[Node, tuple[Part, ...]]] = dataclasses.field(
        default_factory=list)


class TooManyStates(Exception):
    """The limit of an exploration has been passed."""


class Space:
    """The states found so far; parts and nodes are kept once each."""

    def __init__(self, rules: Rules, bounds: Bounds) -> None:
        self.rules = rules
        self.bounds = bounds
        self.parts: list[Part] = []
        self._part_ids: dict[Part, int] = {}
        self._tidied: dict[Part, int] = {}
        self.nodes: list[Node] = []
        self._node_ids: dict[Node, int] = {}
        self._moves: dict[tuple[int, int, int],
                          list[tuple[int, int, bool, str]]] = {}
        self._alone: dict[tuple[int, int], list[tuple[int, bool]]] = {}
        self._own: dict[int, list[tuple[int, bool]]] = {}
        self._verdicts: dict[tuple[int, int, int], tuple[str, bool]] = {}

    def part_id(self, part: Part) -> int:
        """Return the number of the part that is equivalent to this one."""
        found = self._tidied.get(part)
        if found is None:
            tidied = tidy(part, self.rules, self.bounds.late)
            found = self._part_ids.get(tidied)
            if found is None:
                found = len(self.parts)
                self._part_ids[tidied] = found
                self.parts.append(tidied)
            self._tidied[part] = found
        return found

    def node_id(self, node: Node) -> int:
        """Return the number of a node's state."""
        found = self._node_ids.get(node)
        if found is None:
            found = self._node_ids[node] = len(self.nodes)
            self.nodes.append(node)
        return found

    def moves(self, part: int, node: int,
              me: int) -> list[tuple[int, int, bool, str]]:
        """Return what can happen to one instance."""
        if self.bounds.instances == 1:
            return self._find_moves(part, node, me)
        key = (part, node, me)
        found = self._moves.get(key)
        if found is None:
            found = self._moves[key] = self._find_moves(part, node, me)
        return found

    def _find_moves(self, part: int, node: int,
                    me: int) -> list[tuple[int, int, bool, str]]:
        found: dict[tuple[int, int], tuple[int, int, bool, str]] = {
            (to, node): (to, node, helps, '')
            for to, helps in self._moves_alone(part, me)}
        for move in workers.moves(
                self.parts[part], self.nodes[node], me, self.rules,
                self.bounds.of(me)):
            to = self.part_id(move.part), (
                node if move.node is None else self.node_id(move.node))
            known = found.get(to)
            if known is None or move.breaks or (
                    move.helps and not known[2]):
                found[to] = (*to, move.helps, move.breaks)
        return list(found.values())

    def _moves_alone(self, part: int, me: int) -> list[tuple[int, bool]]:
        found = self._alone.get((part, me))
        if found is None:
            helping: dict[int, bool] = {}
            for move in moves_alone(self.parts[part], self.rules,
                                    self.bounds.of(me)):
                to = self.part_id(move.part)
                helping[to] = helping.get(to, False) or move.helps
            helping.pop(part, None)
            found = self._alone[part, me] = list(helping.items())
        return found

    def node_moves(self, node: int) -> list[tuple[int, bool]]:
        """Return what can happen to the node alone."""
        found = self._own.get(node)
        if found is None:
            found = self._own[node] = [
                (self.node_id(to), helps) for _, to, helps
                in hardware.moves(self.nodes[node], self.bounds)]
        return found

    def verdict(self, part: int, node: int, me: int) -> tuple[str, bool]:
        """Return what is broken, and whether all is settled."""
        key = (part, node, me)
        found = self._verdicts.get(key)
        if found is None:
            there = self.parts[part], self.nodes[node], me
            found = (properties.broken(*there), properties.settled(*there))
            self._verdicts[key] = found
        return found


def moves_alone(part: Part, rules: Rules, bounds: Bounds,
                name: int = 0) -> Iterator[Move]:
    """Yield what can happen to an instance whatever its node does."""
    if part.row.status == ABSENT:
        yield Move(('request', 'create', False), requests.create(part, rules))
        return
    yield from requests.moves(part, rules, bounds)
    yield from workers.alone(part, rules, bounds, name)


class Explorer:
    """One exploration."""

    def __init__(self, rules: Rules, bounds: Bounds, *,
                 most: int | None = None, seek: str = '') -> None:
        self._seek = seek
        self.space = Space(rules, bounds)
        self.result = Result(rules, bounds)
        self._most = most
        self._seen: dict[int, int] = {}
        self._keys: list[int] = []
        self._parents = array.array('I')
        # The steps that help, by where they lead.
        self._from = array.array('I')
        self._to = array.array('I')
        self._settled = bytearray()

    def run(self, *, liveness: bool = True) -> Result:
        """Explore until something is broken, or to the end."""
        # Nothing here is a cycle, and there is much to explore.
        gc.disable()
        try:
            return self._run(liveness=liveness)
        finally:
            gc.enable()

    def _run(self, *, liveness: bool) -> Result:
        began = time.monotonic()
        self._add(self._key(self.space.node_id(Node()), [
            self.space.part_id(Part())] * self.space.bounds.instances), 0)
        frontier = range(1)
        while frontier and not self.result.broken:
            for index in frontier:
                if self._expand(index):
                    break
            frontier = range(frontier.stop, len(self._keys))
            self.result.depth += bool(frontier)
        if liveness and not self.result.broken:
            self._look_back()
        self.result.states = len(self._keys)
        self.result.unreached = properties.unreached(
            self.space.parts, self.space.bounds)
        self.result.seconds = time.monotonic() - began
        self.result.megabytes = resource.getrusage(
            resource.RUSAGE_SELF).ru_maxrss // 1024
        return self.result

    def _key(self, node: int, parts: list[int]) -> int:
        key = node
        for part in parts:
            key = key << _BITS | part
        return key

    def _unpack(self, key: int) -> tuple[int, list[int]]:
        count = self.space.bounds.instances
        parts = [key >> _BITS * (count - 1 - position) & _MASK
                 for position in range(count)]
        return key >> _BITS * count, parts

    def _add(self, key: int, parent: int) -> int:
        index = self._seen.get(key)
        if index is not None:
            return index
        index = self._seen[key] = len(self._keys)
        if index == self._most:
            raise TooManyStates
        self._keys.append(key)
        self._parents.append(parent)
        self._settled.append(0)
        return index

    def _expand(self, index: int) -> bool:
        node, parts = self._unpack(self._keys[index])
        settled = True
        for position, part in enumerate(parts, 1):
            wrong, done = self.space.verdict(part, node, position)
            settled = settled and done
            if wrong:
                return self._report(index, wrong)
        self._settled[index] = settled
        for to_node, helps in self.space.node_moves(node):
            self._go(index, self._key(to_node, parts), helps)
        for position, part in enumerate(parts):
            if position and not (part or self._free(node, parts)):
                continue
            for to_part, to_node, helps, breaks in self.space.moves(
                    part, node, position + 1):
                after = parts.copy()
                after[position] = to_part
                to = self._go(index, self._key(to_node, after), helps)
                if breaks:
                    return self._report(to, breaks, index)
        return False

    def _free(self, node: int, parts: list[int]) -> bool:
        """Return whether the next instance can come."""
        return bool(parts[0]) and self.space.nodes[node] == Node()

    def _go(self, index: int, key: int, helps: bool) -> int:
        self.result.steps += 1
        to = self._add(key, index)
        if helps:
            self._from.append(index)
            self._to.append(to)
        return to

    def _report(self, index: int, wrong: str,
                before: int | None = None) -> bool:
        if self._seek not in wrong:
            return False
        self.result.broken = wrong
        indexes = [index]
        if before is not None:
            indexes.append(before)
        while indexes[-1]:
            indexes.append(self._parents[indexes[-1]])
        for found in reversed(indexes):
            node, parts = self._unpack(self._keys[found])
            self.result.path.append((
                self.space.nodes[node],
                tuple(self.space.parts[part] for part in parts)))
        return True

    def _look_back(self) -> None:
        """Find the states from which no settled one can be reached."""
        count = len(self._keys)
        starts = array.array('I', bytes(4 * (count + 1)))
        for to in self._to:
            starts[to + 1] += 1
        for index in range(count):
            starts[index + 1] += starts[index]
        places = array.array('I', starts)
        sources = array.array('I', bytes(4 * len(self._to)))
        for source, to in zip(self._from, self._to, strict=True):
            sources[places[to]] = source
            places[to] += 1
        reached = bytearray(self._settled)
        stack = [index for index in range(count) if reached[index]]
        while stack:
            index = stack.pop()
            for source in sources[starts[index]:starts[index + 1]]:
                if not reached[source]:
                    reached[source] = 1
                    stack.append(source)
        stuck = reached.find(0)
        if stuck >= 0:
            self._report(stuck, 'stuck: nothing that happens by itself '
                                'leads to a settled state')
