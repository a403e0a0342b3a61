# SPDX-License-Identifier: Apache-2.0
"""The types of rows: of a whole table, or of what a query has beside it.

Rows are named tuples or those of SQLAlchemy, which know their columns at run
time only.
"""

import datetime
from typing import Any, Protocol, TypeAlias

JsonObject: TypeAlias = dict[str, Any]


class Instance(Protocol):
    """A row of `instances`."""

    id: int
    uuid: str
    project_id: str
    user_id: str
    name: str
    description: str | None
    flavor_uuid: str | None
    image_uuid: str | None
    availability_zone: str | None
    node_uuid: str | None
    adopting: str | None
    metadata: dict[str, str]
    key_name: str | None
    partitions: dict[str, int] | None
    networks: list[JsonObject] | None
    status: str
    status_action: str | None
    power_state: str | None
    fault: JsonObject | None
    lock_state: str
    lock_action: str | None
    locked_at: datetime.datetime | None
    locked_by: str | None
    locked_reason: str | None
    lock_fault: JsonObject | None
    node_protection: str
    fence: int
    claim_by: str | None
    claim_seq: int
    claim_until: datetime.datetime | None
    revision: int
    created_at: datetime.datetime
    updated_at: datetime.datetime | None
    launched_at: datetime.datetime | None
    deleted_at: datetime.datetime | None
    locked: bool
    deleted: bool


class OnNode(Protocol):
    """The columns of an instance that are compared with its node; `now` is
    the database's time."""

    id: int
    uuid: str
    node_uuid: str
    status: str
    status_action: str | None
    power_state: str | None
    fault: JsonObject | None
    fence: int
    lock_state: str
    lock_action: str | None
    locked_reason: str | None
    node_protection: str
    now: datetime.datetime


class Action(Protocol):
    """A row of `actions`."""

    id: int
    uuid: str
    instance_uuid: str
    verb: str
    arguments: JsonObject
    fence: int
    user_id: str
    project_id: str | None
    request_id: str | None
    outcome: str | None
    error: str | None
    attempts: int
    next_at: datetime.datetime | None
    refusal: str | None
    times: int
    created_at: datetime.datetime
    started_at: datetime.datetime | None
    updated_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    unpublished: int | None


class ClaimedAction(Action, Protocol):
    """An unfinished action under a claim; `due` by the database's time
    `now`."""

    due: bool
    now: datetime.datetime


class DueAction(Protocol):
    """An unfinished action that is due, with the node of its instance."""

    uuid: str
    verb: str
    instance_uuid: str
    created_at: datetime.datetime
    started_at: datetime.datetime | None
    now: datetime.datetime
    node_uuid: str | None


class PendingAction(Action, Protocol):
    """An action with pending notifications; `occurred_at` is the time of the
    first."""

    occurred_at: datetime.datetime


class UnfinishedAction(Protocol):
    """An unfinished action, as it is reported."""

    verb: str
    instance_uuid: str
    attempts: int
    error: str | None
    request_id: str | None
    created_at: datetime.datetime
    now: datetime.datetime


class Flavor(Protocol):
    """A row of `flavors`."""

    id: int
    uuid: str
    name: str
    description: str | None
    resources: dict[str, int]
    traits: list[str]
    is_public: bool
    disabled: bool
    created_at: datetime.datetime
    updated_at: datetime.datetime | None


class KeyPair(Protocol):
    """A row of `keypairs`."""

    id: int
    user_id: str
    name: str
    public_key: str
    fingerprint: str
    created_at: datetime.datetime
