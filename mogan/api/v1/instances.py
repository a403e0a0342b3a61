# SPDX-License-Identifier: Apache-2.0
"""Instances: create, list, show, update and delete them."""

from typing import Any, Final

import pecan

from mogan import exception, states
from mogan.api import links, types, validation
from mogan.api.routing import Resource, route
from mogan.api.v1 import access, json_patch
from mogan.api.v1.actions import ActionsController
from mogan.api.v1.schemas import inputs
from mogan.api.v1.schemas import instances as schemas
from mogan.api.v1.states import StatesController
from mogan.db import domains, instances, keypairs, listing, rows

UUID: Final = types.UuidOrNotFound(exception.InstanceNotFound)
_DESCRIBED: Final = validation.Schema(schemas.DESCRIBED)
# How often a patch is applied again because another one came in between.
_TRIES: Final = 8
_QUERY: Final = {
    'name': types.Text(), 'status': types.Choice(*states.Status),
    'flavor_uuid': types.uuid, 'locked': types.boolean,
    'node_uuid': types.uuid, 'project_id': types.Text(),
    'all_tenants': types.boolean,
    'sort_key': types.Choice(*listing.SORT_KEYS),
    'sort_dir': types.Choice('asc', 'desc'),
    'limit': types.limit, 'marker': types.uuid}


def shown(row: rows.Instance, dialect: schemas.Dialect = schemas.INSTANCES,
          ) -> dict[str, Any]:
    """Return an instance with all fields that the caller may see."""
    one = dialect.view(row, admin=access.sees_all(row))
    one['links'] = links.of(dialect.collection, row.uuid, links.base())
    return one


def _scope(all_tenants: bool | None, project_id: str | None) -> str | None:
    """Return the project to list, or None for all. Raises Forbidden,
    Invalid."""
    request = pecan.request
    own = request.context.project_id
    if all_tenants:
        request.services.policy.authorize(
            request.context, 'mogan:instance:get_all_tenants', {})
        return project_id
    if project_id not in {None, own}:
        raise exception.Invalid(
            place='query argument project_id',
            fault='another project than your own needs all_tenants')
    return own


def _sees_admin_fields(project_id: str | None) -> bool:
    """Return whether the caller sees the fields for admins, of the listed
    project or of all (None)."""
    return pecan.request.services.policy.check(
        pecan.request.context, 'mogan:instance:get_admin_fields',
        {} if project_id is None else {'project_id': project_id})


def _page(dialect: schemas.Dialect, wanted: listing.Listing,
          fields: tuple[str, ...], *, admin: bool) -> dict[str, Any]:
    if not admin and (wanted.node_uuid or not
                      schemas.ADMIN_FIELDS.isdisjoint(fields)):
        raise exception.Forbidden(rule='mogan:instance:get_admin_fields')
    with validation.invalid_at('query argument marker',
                               exception.InstanceNotFound):
        rows, more = listing.page(pecan.request.services.db, wanted)
    shown = dialect.view.many(rows, admin=admin, fields=fields)
    if 'links' in fields:
        address = links.base()
        for row, one in zip(rows, shown, strict=True):
            one['links'] = links.of(dialect.collection, row.uuid, address)
    return links.page(dialect.collection, shown,
                      rows[-1].uuid if more else None)


def lister(dialect: schemas.Dialect, default: tuple[str, ...] | None) -> Any:
    """Return the method that lists; `default` are the fields that are shown
    unless the caller chooses, or None for all that the caller may see."""
    seen = {admin: default or dialect.view.names(admin=admin)
            for admin in (False, True)}
    every = types.Choices(*dialect.view.names(admin=True))

    @route(dialect.page, rule='mogan:instance:get_all',
           query=_QUERY | {'fields': every})
    def get(  # noqa: PLR0913, PLR0917 - WSME takes a query by names
            self: Any, name: str | None = None,  # noqa: ARG001
            status: str | None = None, flavor_uuid: str | None = None,
            locked: bool | None = None, node_uuid: str | None = None,
            project_id: str | None = None, all_tenants: bool | None = None,
            fields: tuple[str, ...] | None = None, sort_key: str = 'id',
            sort_dir: str = 'asc', limit: int = types.MAX_LIMIT,
            marker: str | None = None) -> dict[str, Any]:
        """List the instances of the caller's project, or of all projects."""
        project = _scope(all_tenants, project_id)
        admin = _sees_admin_fields(project)
        fields = fields or seen[admin]
        return _page(dialect, listing.Listing(
            project_id=project, limit=limit,
            columns=schemas.columns(fields), marker=marker, name=name,
            status=status, flavor_uuid=flavor_uuid, locked=locked,
            node_uuid=node_uuid, sort_key=sort_key,
            descending=sort_dir == 'desc'), fields, admin=admin)

    return get


class DetailController(Resource):
    """The list with all details."""

    get = lister(schemas.INSTANCES, None)


def change(uuid: str, operations: list[json_patch.Operation]) -> Any:
    """Apply a patch to an instance, and return the instance.

    Raises InstanceNotFound, InstanceLocked, Invalid, Conflict.
    """
    request = pecan.request
    row = access.find(uuid, 'mogan:instance:update')
    for _ in range(_TRIES):
        domains.check(row, 'metadata')
        old = {'name': row.name, 'description': row.description,
               'metadata': row.metadata}
        new = {'description': None, 'metadata': {}} | json_patch.apply(
            operations, old)
        _DESCRIBED.check(new)
        row, changed = instances.update(
            request.services.db, request.context, row,
            {name: value for name, value in new.items()
             if value != old[name]},
            operate_locked=access.may('mogan:instance:operate_locked', row))
        if changed:
            return row
    raise exception.Conflict(
        f'Other requests are changing the instance {uuid} at the same time.')


def delete(uuid: str) -> None:
    """Begin to delete an instance.

    Raises InstanceNotFound, InstanceLocked.
    """
    request = pecan.request
    access.find(uuid, 'mogan:instance:delete')
    if instances.begin(request.services.db, request.context, uuid,
                       states.Verb.DELETE):
        request.services.engine.nudge(request.context, uuid)


def create(wanted: schemas.NewInstance,
           dialect: schemas.Dialect = schemas.INSTANCES) -> dict[str, Any]:
    """Begin to build an instance, and show it.  Raises Invalid."""
    request = pecan.request
    values = {
        'name': wanted.name, 'description': wanted.description or None,
        'flavor_uuid': wanted.flavor_uuid.lower(),
        'image_uuid': wanted.image_uuid.lower(),
        'availability_zone': wanted.availability_zone or None,
        'metadata': wanted.metadata or {}}
    asked, secrets = _inputs(wanted, dialect.place)
    hidden = request.services.policy.check(
        request.context, 'mogan:flavor:get_hidden', {})
    with validation.invalid_at('flavor_uuid', exception.FlavorNotFound,
                               exception.FlavorDisabled):
        row = instances.create(
            request.services.db, request.context, values | asked, secrets,
            hidden_flavors=hidden)
    request.services.engine.nudge(request.context, row.uuid)
    links.locate(f'{dialect.collection}/{row.uuid}')
    return shown(row, dialect)


def _inputs(wanted: inputs.Inputs,
            place: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs of an instance: those that are shown, and the secrets.

    Raises Invalid.
    """
    keys = inputs.read_ssh_keys(wanted.ssh_keys, place)
    if wanted.key_name:
        request = pecan.request
        with validation.invalid_at(f'{place}.key_name',
                                   exception.KeyPairNotFound):
            pair = keypairs.get(request.services.db, request.context.user_id,
                                wanted.key_name)
        keys[pair.name] = pair.public_key
    return {
        'key_name': wanted.key_name or None,
        'partitions': inputs.read_partitions(wanted.partitions),
        'networks': inputs.read_networks(wanted.networks, place),
    }, {'ssh_keys': keys,
        'user_data': inputs.read_user_data(wanted.user_data, place)}


class InstanceController(Resource):
    """One instance."""

    states = StatesController()
    actions = ActionsController()

    @route(schemas.Instance, UUID, rule='mogan:instance:get_one')
    def get(self, uuid: str) -> dict[str, Any]:
        """Show an instance."""
        return shown(access.find(uuid, 'mogan:instance:get_one'))

    @route(schemas.Instance, UUID, rule='mogan:instance:update',
           body=[json_patch.Operation], schema=schemas.UPDATE,
           raises=(exception.InstanceLocked, exception.Conflict))
    def patch(self, uuid: str,
              operations: list[json_patch.Operation]) -> dict[str, Any]:
        """Update an instance's name, description and metadata."""
        return shown(change(uuid, operations))

    @route(None, UUID, rule='mogan:instance:delete', status_code=204,
           raises=(exception.InstanceLocked,))
    def delete(self, uuid: str) -> None:
        """Delete an instance."""
        delete(uuid)


class InstancesController(Resource):
    """The instances."""

    get = lister(schemas.INSTANCES, schemas.INSTANCES.summary)
    detail = DetailController()
    item = InstanceController()

    @route(schemas.Instance, rule='mogan:instance:create',
           body=schemas.NewInstance, status_code=201,
           location=True)
    def post(self, wanted: schemas.NewInstance) -> dict[str, Any]:
        """Create an instance."""
        inputs.refuse({'networks': wanted.networks})
        return create(wanted)
