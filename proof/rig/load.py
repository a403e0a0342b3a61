# SPDX-License-Identifier: Apache-2.0
"""Clients that want everything at once of a few instances."""

import contextlib
import random
import threading
from collections.abc import Callable, Sequence
from typing import Final

from proof.rig import history, strange, wire
from proof.rig.background import Background
from proof.rig.history import History
from proof.rig.wire import ADMIN, OWNER, Connection, Operation, Request
from proof.spec import POWER

THREADS: Final = 8
# Instances that are kept alive, and nodes for them: those that are being
# wiped need one too.
POPULATION: Final = 14
NODES: Final = 24
_TARGETS: Final = tuple(POWER)
_CENSUS: Final = 2.0
_FIELDS: Final = ('uuid,name,status,lock_state,node_uuid,node_protection,'
                  'fault,power_state')


class Population:
    """The clients' states about the instances, which may be wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._assumed: dict[str, str] = {}
        self._buried: set[str] = set()
        self._coming = 0
        # An instance that everybody likes best for a while.
        self.favourite: str | None = None
        # Those of which everybody wants everything for a while.
        self.contested: Sequence[str] = ()
        # The port of an API that nobody asks to write.
        self.reading: int | None = None

    def wants_more(self) -> bool:
        """Return whether another one should be made; the caller has to `born`
        or `stillborn` it."""
        with self._lock:
            if len(self._assumed) + self._coming >= POPULATION:
                return False
            self._coming += 1
            return True

    def born(self, uuid: str) -> None:
        """Record that a requested instance exists."""
        self.stillborn()
        self.adopt(uuid)

    def stillborn(self) -> None:
        """Record that a requested instance does not exist, as far as is
        known."""
        with self._lock:
            self._coming -= 1

    def adopt(self, uuid: str) -> None:
        """Record an instance that was found."""
        with self._lock:
            if uuid not in self._buried:
                self._assumed.setdefault(uuid, 'building')

    def known(self) -> set[str]:
        """Return all instances that have existed."""
        with self._lock:
            return self._buried | set(self._assumed)

    def assumed(self, state: str) -> list[str]:
        """Return the instances with this assumed state."""
        with self._lock:
            return [uuid for uuid, one in self._assumed.items()
                    if one == state]

    def choose(self, rng: random.Random, *states: str) -> str | None:
        """Return one of the instances with this assumed state, if any."""
        with self._lock:
            found = [uuid for uuid, state in self._assumed.items()
                     if not states or state in states]
        if self.favourite in found and rng.random() < 0.4:  # noqa: PLR2004
            return self.favourite
        # Some are more popular than others, so that requests meet.
        return found[int(rng.random() ** 2 * len(found))] if found else None

    def learn(self, operation: Operation) -> None:
        """Draw the conclusion of an answer."""
        uuid, state = operation.instance, _expected(operation)
        with self._lock:
            if state == history.GONE:
                self._assumed.pop(uuid, None)
                self._buried.add(uuid)
            elif state is not None and uuid in self._assumed:
                self._assumed[uuid] = state


_AFTER: Final = {
    (history.LOCK, history.DONE): 'locked',
    (history.UNLOCK, history.DONE): 'free',
    (history.DELETE, history.DONE): 'leaving',
    (history.REBUILD, history.DONE): 'building',
}
_STATUSES: Final = {'building': 'building', 'rebuilding': 'building',
                    'deleting': 'leaving'}


def _expected(operation: Operation) -> str | None:
    answer = operation.answer
    if answer in {history.GONE, history.LOCKED}:
        return answer
    word, _, rest = answer.partition(':')
    status, _, lock = rest.partition(':')
    if word == 'saw' and status not in _STATUSES:
        return 'locked' if lock in {'locked', 'locking'} else 'free'
    return _STATUSES.get(status, _AFTER.get((operation.kind, answer)))


class Client:
    """One of them: a thread, with connections to every API."""

    def __init__(self, number: int, seed: int, ports: Sequence[int],
                 flavor: str, people: Population, record: History) -> None:
        self._rng = random.Random(f'{seed}/client/{number}')  # noqa: S311
        self._people = people
        self._record = record
        self._flavor = flavor
        self._connections = {
            (user, port, number): Connection(port, user,
                                             operator=user == ADMIN)
            for user in (ADMIN, OWNER) for port in ports
            for number in range(2)}
        self._ports = ports
        self._steps: list[tuple[float, Callable[[], bool]]] = [
            (0.34, self._duel), (0.2, self._unlock), (0.1, self._look),
            (0.08, self._power), (0.05, self._rebuild), (0.02, self._any),
        ]

    def run(self, stop: threading.Event) -> None:
        """Go on until told to stop."""
        steps = [step for _, step in self._steps]
        weights = [weight for weight, _ in self._steps]
        while not stop.is_set():
            if self._people.wants_more():
                step = self._create
            elif self._people.contested and self._rng.random() < 0.3:  # noqa: PLR2004
                step = self.contest
            else:
                step = self._rng.choices(steps, weights)[0]
            # There is none of that kind, or nobody answers.
            if not step() and not self._look():
                stop.wait(0.3)
        for connection in self._connections.values():
            connection.close()

    def _to(self, user: str | None = None, port: int | None = None,
            number: int = 0) -> Connection:
        return self._connections[
            user or self._rng.choice((ADMIN, ADMIN, OWNER)),
            port or self._rng.choice(self.writing()), number]

    def writing(self) -> list[int]:
        """Return the ports that may get write requests."""
        return [port for port in self._ports
                if port != self._people.reading] or list(self._ports)

    def _ask(self, request: Request, user: str | None = None) -> bool:
        port = (self._rng.choice(self._ports) if request.method == 'GET'
                else None)
        try:
            operation, _ = self._to(user, port).ask(request)
        except wire.Unreachable:
            return False
        return self._keep(operation)

    def _keep(self, operation: Operation) -> bool:
        """Write it down; whether there was an answer."""
        self._record.add(operation)
        self._people.learn(operation)
        return operation.answer != history.UNKNOWN

    def _create(self) -> bool:
        request = wire.create(self._flavor, self._rng.choice(wire.IMAGES))
        try:
            operation, answer = self._to(OWNER).ask(request)
        except wire.Unreachable:
            self._people.stillborn()
            return False
        if operation.answer != history.DONE:
            # The census finds it where it was made after all.
            self._people.stillborn()
            self._record.add(operation)
            return False
        uuid = answer.json['uuid']
        self._record.add(Operation(
            history.CREATE, uuid, operation.sent, operation.answered,
            history.DONE, operation.user, operation.operator,
            operation.request_id))
        self._people.born(uuid)
        return True

    def _duel(self) -> bool:
        """Lock and destroy the same one at the same time."""
        uuid = self._people.choose(self._rng, 'free')
        if uuid is None:
            return False
        if self._rng.random() < 0.75:  # noqa: PLR2004
            against = wire.delete(uuid)
        else:
            against = wire.rebuild(uuid, self._rng.choice(wire.IMAGES))
        ports = self.writing()
        self._rng.shuffle(ports)
        pairs = [(self._to(ADMIN, ports[0]), wire.lock(uuid)),
                 (self._to(OWNER, ports[0]), wire.delete(uuid)),
                 (self._to(OWNER, ports[-1], 1), against)]
        if self._rng.random() < 0.5:  # noqa: PLR2004
            del pairs[1]
        # The lock is mostly sent first: whoever loses less is raced again
        # sooner.
        if self._rng.random() < 0.4:  # noqa: PLR2004
            self._rng.shuffle(pairs)
        answered = [self._keep(operation)
                    for operation, _ in wire.together(pairs)]
        return bool(answered) and all(answered)

    def _unlock(self) -> bool:
        uuid = self._people.choose(self._rng, 'locked')
        return uuid is not None and self._ask(wire.unlock(uuid), ADMIN)

    def _look(self) -> bool:
        uuid = self._people.choose(self._rng)
        return uuid is not None and self._ask(wire.read(uuid))

    def _power(self) -> bool:
        uuid = self._people.choose(self._rng, 'free', 'locked')
        return uuid is not None and self._ask(
            wire.power(uuid, self._rng.choice(_TARGETS)))

    def _rebuild(self) -> bool:
        uuid = self._people.choose(self._rng, 'free', 'locked', 'building')
        return uuid is not None and self._ask(
            wire.rebuild(uuid, self._rng.choice(wire.IMAGES)))

    def contest(self) -> bool:
        """Lock, unlock or delete one that all others do that with."""
        contested = self._people.contested
        if not contested:
            return False
        uuid = self._rng.choice(contested)
        return self._ask(self._rng.choice((
            wire.lock(uuid), wire.lock(uuid), wire.unlock(uuid),
            wire.delete(uuid))), ADMIN)

    def _any(self) -> bool:
        """Whatever, of whichever instance."""
        uuid = self._people.choose(self._rng)
        if uuid is None:
            return False
        return self._ask(*self._rng.choice([
            (wire.lock(uuid, f'ticket {self._rng.randrange(5)}'), ADMIN),
            (wire.unlock(uuid), ADMIN), (wire.delete(uuid), None),
            (wire.lock(uuid), ADMIN)]))


class Load:
    """All clients, and the census of instances whose birth was not
    answered."""

    def __init__(self, seed: int, ports: Sequence[int], flavor: str,
                 record: History, threads: int = THREADS) -> None:
        self.people = Population()
        self._record = record
        self._ports = ports
        # The failure of one stops all.
        self._stop = threading.Event()
        self._threads = [Background('census', self._census, self._stop), *(
            Background(f'client-{number}', Client(
                number, seed, ports, flavor, self.people, record).run,
                self._stop) for number in range(threads))]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Wait for the last answers.  Raises what a client failed with."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.check()

    def check(self) -> None:
        """Raise the error of a client that failed."""
        for thread in self._threads:
            thread.check()

    def _census(self, stop: threading.Event) -> None:
        while not stop.wait(_CENSUS):
            for port in self._ports:
                with contextlib.suppress(wire.Unreachable):
                    if self.count(port):
                        break

    def count(self, port: int) -> bool:
        """Adopt those that nobody knows of; whether it could be asked."""
        rows = instances(port)
        for row in rows or ():
            self.people.adopt(row['uuid'])
        return rows is not None


def instances(port: int) -> list[dict] | None:
    """Return all living instances as an administrator sees them; None without
    an answer.  Raises Unreachable."""
    found: list[dict] = []
    path = f'/v1/instances?all_tenants=true&fields={_FIELDS}'
    marker = ''
    with wire.administrator(port) as connection:
        while True:
            _, answer = connection.ask(Request('list', 'GET', path + marker))
            if answer.status != 200:  # noqa: PLR2004
                return None
            page = answer.json
            rows = page['instances']
            found += [row for row in rows if row['name'] != strange.NAME]
            if 'next' not in page:
                return found
            marker = f'&marker={rows[-1]["uuid"]}'
