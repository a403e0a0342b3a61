# SPDX-License-Identifier: Apache-2.0
"""Instances by the hundred thousand."""

import datetime
import itertools
import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import sqlalchemy as sa

from benchmarks.databases import Place
from mogan import states
from mogan.db import models

LARGE: Final = 100_000
SMALL: Final = 1_000
# Of four projects the first is the one that is asked about.
PROJECTS: Final = tuple(f'{number:032x}' for number in range(1, 5))
FLAVORS: Final = tuple(str(uuid.UUID(int=number, version=4))
                       for number in (1, 2))
# The list of a status is as rare as a page allows.
RARE: Final = states.Status.ERROR.value

_BATCH: Final = 2_000
_START: Final = datetime.datetime(  # noqa: DTZ001 - UTC, as kept
    2026, 1, 1, microsecond=512_000)
# How many of a small table are there only to fill the page of a filter.
_FILLING: Final = 360

Draw = Callable[[random.Random], dict[str, Any]]


def fill(place: Place, rows: int) -> None:
    """Add so many instances, the same in every run."""
    chance = random.Random(rows)  # noqa: S311 - the same each time
    db = place.open()
    with db.engine.begin() as connection:
        connection.execute(sa.insert(models.flavors), _flavors())
        for batch in _batches(_instances(chance, rows)):
            connection.execute(sa.insert(models.instances), batch)
    db.dispose()
    place.settle()


def _instances(chance: random.Random, rows: int) -> Iterator[dict[str, Any]]:
    """Yield the instances.  A large table is alike all over.  A small one
    begins as a large one does, so that a page of it has the same sizes, and
    ends in what a filter would not find a hundred of."""
    filling = _FILLING if rows == SMALL else 0
    for number in range(rows - filling):
        project = PROJECTS[0]
        if rows != SMALL or chance.random() > 0.7:  # noqa: PLR2004
            project = chance.choice(PROJECTS)
        yield _instance(chance, number, project, _usual(chance))
    seldom = itertools.cycle(({'status': RARE}, {'status': 'stopped'},
                              {'locked': True}))
    for number, facts in zip(range(rows - filling, rows), seldom,
                             strict=False):
        yield _instance(chance, number, PROJECTS[0], facts)


def _usual(chance: random.Random) -> dict[str, Any]:
    return {'status': chance.choices(
        ('active', 'stopped', RARE), (90, 9, 1))[0],
        'locked': chance.random() < 0.02}  # noqa: PLR2004 - two of a hundred


def _instance(chance: random.Random, number: int, project: str,
              facts: dict[str, Any]) -> dict[str, Any]:
    created = _START + datetime.timedelta(seconds=90 * number)
    name = f'compute-{number:06d}.rack{number % 40:02d}.example.org'
    lock: dict[str, Any] = {
        'lock_state': states.LockState.UNLOCKED.value,
        'locked_at': None, 'locked_by': None, 'locked_reason': None,
        'node_protection': 'none'}
    if facts.get('locked'):
        lock = {'lock_state': states.LockState.LOCKED.value,
                'locked_at': created, 'locked_by': PROJECTS[1],
                'locked_reason': f'disk swap, ticket {number}',
                'node_protection': 'applied'}
    status = facts.get('status', 'active')
    return lock | {
        'uuid': _uuid(chance), 'project_id': project,
        'user_id': _uuid(chance).replace('-', ''), 'name': name,
        'description': 'A node of the batch cluster, kept by its owner',
        'flavor_uuid': chance.choice(FLAVORS),
        'image_uuid': _uuid(chance), 'availability_zone': 'hall-2',
        'node_uuid': _uuid(chance),
        'metadata': {'role': 'compute', 'cost-centre': '4711',
                     'contact': 'cluster@example.org'},
        'status': status, 'status_action': None, 'lock_action': None,
        'power_state': 'power off' if status == 'stopped' else 'power on',
        'fault': None, 'lock_fault': None,
        'fence': 1, 'claim_by': None, 'claim_seq': 1, 'claim_until': None,
        'revision': 0, 'created_at': created,
        'updated_at': created + datetime.timedelta(seconds=30),
        'launched_at': created + datetime.timedelta(seconds=20),
        'deleted_at': None}


def _flavors() -> list[dict[str, Any]]:
    return [{'uuid': flavor, 'name': f'flavor-{number}', 'description': None,
             'resources': {'CUSTOM_BAREMETAL': 1}, 'traits': [],
             'is_public': True, 'disabled': False, 'created_at': _START}
            for number, flavor in enumerate(FLAVORS)]


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _batches(rows: Iterable[dict[str, Any]],
             ) -> Iterator[list[dict[str, Any]]]:
    rows = iter(rows)
    while batch := list(itertools.islice(rows, _BATCH)):
        yield batch


def uuids(place: Place, *, project: str | None = None,
          lockable: bool = False) -> list[str]:
    """Instances in a random order, the same in every run."""
    I = models.instances  # noqa: E741, N806 - as the service names it
    query = sa.select(I.c.uuid).order_by(I.c.id)
    if project is not None:
        query = query.where(I.c.project_id == project)
    if lockable:
        query = query.where(
            I.c.lock_state == states.LockState.UNLOCKED.value)
    db = place.open()
    found = [row.uuid for row in db.read(query)]
    db.dispose()
    random.Random(1).shuffle(found)  # noqa: S311 - the same each time
    return found
