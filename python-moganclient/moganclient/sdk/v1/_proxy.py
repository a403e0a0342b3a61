# SPDX-License-Identifier: Apache-2.0
"""The calls of the service: `connection.baremetal_compute`.

Instances and flavors can be given as objects or by UUID.  Errors are those
of `moganclient.exceptions`.
"""

import http
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, TypeVar

import requests
from openstack import proxy

from moganclient import exceptions
from moganclient.sdk.v1 import _base, _retries, _wait
from moganclient.sdk.v1.action import Action
from moganclient.sdk.v1.availability_zone import AvailabilityZone
from moganclient.sdk.v1.flavor import Flavor
from moganclient.sdk.v1.instance import Instance
from moganclient.sdk.v1.keypair import Keypair
from moganclient.sdk.v1.manageable_server import ManageableServer
from moganclient.sdk.v1.node import Node
from moganclient.sdk.v1.states import States

_Kind = TypeVar('_Kind', bound=_base.Resource)
_HOUR = 3600.0


class Proxy(proxy.Proxy):
    """The service's API."""

    api_version: ClassVar[str] = '1'
    # There is one version, whose address is known.
    skip_discovery = True

    _resource_registry = {  # noqa: RUF012 - as the base's
        'action': Action, 'availability_zone': AvailabilityZone,
        'flavor': Flavor, 'instance': Instance,
        'keypair': Keypair, 'manageable_server': ManageableServer,
        'node': Node}

    def request(self, url: str, method: str, *args: Any,
                **kwargs: Any) -> requests.Response:
        """Send a request, with retries if it is idempotent.

        `connect_retries` and `status_code_retries` of the connection's
        configuration set their number, 3 each by default; other requests
        are never retried.
        """
        url = self._versioned(url)
        again = _often(kwargs.get('status_code_retries'),
                       self.status_code_retries)
        kwargs['status_code_retries'] = 0
        if not _retries.repeatable(method, url):
            kwargs['connect_retries'] = 0
            return super().request(url, method, *args, **kwargs)
        kwargs['connect_retries'] = _often(kwargs.get('connect_retries'),
                                           self.connect_retries)
        for tries in range(again):
            response = super().request(url, method, *args, **kwargs)
            seconds = _retries.pause(response, tries)
            if seconds is None:
                return response
            time.sleep(seconds)
        return super().request(url, method, *args, **kwargs)

    def _versioned(self, url: str) -> str:
        """Return a path below the version, which the endpoint may include."""
        endpoint = self.get_endpoint() or ''
        if '://' in url or endpoint.rstrip('/').endswith('/v1'):
            return url
        return f'/v1/{url.lstrip("/")}'

    def instances(self, details: bool = True,
                  **query: Any) -> Iterator[Instance]:
        """List the caller's instances; pages are fetched lazily.

        `details=False`: only uuid, name, description, status, power_state
        and locked, or the `fields` of the query.  The query:
        `all_projects`, `name`, `status`, `flavor_uuid`, `locked`,
        `node_uuid`, `project_id`, `sort_key`, `sort_dir`, `limit` (of a
        page), `marker`.
        """
        if query.pop('all_projects', False):
            query['all_tenants'] = True
        path = '/instances/detail' if details else '/instances'
        return Instance.pages(self, path, query=query)

    def get_instance(self, instance: str | Instance) -> Instance:
        """Get an instance.  Raises NotFound."""
        return self._show(Instance, instance)

    def find_instance(self, name_or_id: str, ignore_missing: bool = True,
                      all_projects: bool = False) -> Instance | None:
        """Find an instance by UUID or name; None if there is none.

        Raises NotUnique, and NotFound if not `ignore_missing`.
        """
        return self._named(
            Instance, name_or_id, ignore_missing,
            lambda: self.instances(name=name_or_id,
                                   all_projects=all_projects))

    def create_instance(self, **attrs: Any) -> Instance:
        """Create an instance, which is `building` when this returns.

        `name`, `flavor_uuid`, `image_uuid`; `description`,
        `availability_zone`, `metadata` and other fields of the API.  The
        request is never retried: if the response is lost, look for the
        instance before you create it again.
        """
        return self._make(Instance, '/instances', attrs)

    def create_server(self, **attrs: Any) -> Instance:
        """Create an instance like 0.1.0, with `networks`, which are stored
        and shown but not attached.

        Raises Conflict if another instance uses one of the ports.
        """
        return self._make(Instance, '/servers', {'server': attrs})

    def update_instance(self, instance: str | Instance,
                        **attrs: Any) -> Instance:
        """Update `name`, `description`, `metadata`.

        Only the differences from a fetched instance are sent, those of the
        metadata by key, so that keys which others have set since then are
        kept.
        """
        return self._change(Instance, '/instances', instance, attrs)

    def delete_instance(self, instance: str | Instance,
                        ignore_missing: bool = True) -> None:
        """Delete an instance, asynchronously.

        Raises InstanceLocked, and NotFound if not `ignore_missing`.
        """
        self._end(f'/instances/{_id(instance)}', ignore_missing)

    def lock_instance(self, instance: str | Instance,
                      reason: str | None = None) -> None:
        """Protect an instance from delete and rebuild, from now on.

        Raises Conflict if its status does not allow that.
        """
        body = None if reason is None else {'reason': reason}
        self._put(instance, 'lock', {'lock': body})

    def unlock_instance(self, instance: str | Instance) -> None:
        """Unlock an instance, asynchronously: the lock holds until
        `lock_state` is `unlocked`, see `wait_for_instance`."""
        self._put(instance, 'unlock', {'unlock': None})

    def set_instance_power_state(self, instance: str | Instance,
                                 target: str) -> None:
        """Change the power: `on`, `off`, `reboot`, `soft_off`, `soft_reboot`.

        Raises Conflict, InstanceLocked.
        """
        self._put(instance, 'power', {'target': target})

    def rebuild_instance(self, instance: str | Instance,
                         image_uuid: str | None = None) -> None:
        """Rebuild an instance from an image, by default the same; all data
        on its node is lost.

        Raises Conflict, InstanceLocked.
        """
        if image_uuid is None:
            image_uuid = self.get_instance(instance).image_uuid
        self._put(instance, 'provision', {'target': 'rebuild',
                                          'image_uuid': image_uuid})

    def instance_states(self, instance: str | Instance) -> States:
        """Get the states of an instance, and its lock."""
        response = self.get(f'/instances/{_id(instance)}/states')
        return States.existing(**exceptions.content(response, 'lock_state'))

    def instance_actions(self, instance: str | Instance,
                         **query: Any) -> Iterator[Action]:
        """List the history of an instance, newest first; pages are fetched
        lazily.  The query: `limit` (of a page), `marker`."""
        return Action.pages(self, f'/instances/{_id(instance)}/actions',
                            query=query)

    def wait_for_instance(
            self, instance: str | Instance, until: _wait.Until,
            timeout: float | None = _HOUR, interval: float = 0.1,
            max_interval: float = 2.0,
            callback: Callable[[Instance], object] | None = None,
            ) -> Instance:
        """Poll an instance until it is in the expected state; returns it.

        `until`: a status, a lock state, or a predicate.  Seconds:
        `timeout`, None for no limit; the poll interval grows from
        `interval` to `max_interval`.  `callback` is called with the
        instance after each poll.  An unavailable service is waited for.

        Raises InstanceFailed when it is in `error`, unless that or a lock
        state is expected; WaitTimeout; NotFound.
        """
        seen = _wait.until(
            lambda seconds: self._look(instance, seconds), until,
            timeout=timeout, interval=interval, longest=max_interval,
            callback=callback)
        assert seen is not None  # noqa: S101 - `get_instance` raises
        return seen

    def wait_for_deleted(
            self, instance: str | Instance, timeout: float | None = _HOUR,
            interval: float = 0.1, max_interval: float = 2.0,
            callback: Callable[[Instance], object] | None = None) -> None:
        """Poll until an instance is gone; see `wait_for_instance`."""
        def look(seconds: float) -> Instance | None:
            try:
                return self._look(instance, seconds)
            except exceptions.NotFound:
                return None

        _wait.until(look, 'deleted', timeout=timeout, interval=interval,
                    longest=max_interval, callback=callback)

    def flavors(self, **query: Any) -> Iterator[Flavor]:
        """List the flavors; pages are fetched lazily.  The query: `limit`
        (of a page), `marker`."""
        return Flavor.pages(self, query=query)

    def get_flavor(self, flavor: str | Flavor) -> Flavor:
        """Get a flavor.  Raises NotFound."""
        return self._show(Flavor, flavor)

    def find_flavor(self, name_or_id: str,
                    ignore_missing: bool = True) -> Flavor | None:
        """Find a flavor by UUID or name; None if there is none.

        Raises NotFound if not `ignore_missing`.
        """
        return self._named(Flavor, name_or_id, ignore_missing, self.flavors)

    def create_flavor(self, **attrs: Any) -> Flavor:
        """Create a flavor: `name`, `resources`; `description`, `traits`,
        `is_public`, `disabled`.  For administrators."""
        return self._make(Flavor, '/flavors', attrs)

    def update_flavor(self, flavor: str | Flavor, **attrs: Any) -> Flavor:
        """Update `name`, `description`, `is_public`, `disabled`.  For
        administrators."""
        return self._change(Flavor, '/flavors', flavor, attrs)

    def delete_flavor(self, flavor: str | Flavor,
                      ignore_missing: bool = True) -> None:
        """Delete a flavor.  Raises Conflict while it is in use."""
        self._end(f'/flavors/{_id(flavor)}', ignore_missing)

    def nodes(self, details: bool = False, **query: Any) -> Iterator[Node]:
        """List the nodes, only their names unless `details`; pages are
        fetched lazily.  For administrators."""
        return Node.pages(self, '/nodes/detail' if details else '/nodes',
                          query=query)

    def availability_zones(self, **query: Any) -> Iterator[AvailabilityZone]:
        """List the availability zones."""
        return AvailabilityZone.pages(self, query=query)

    def keypairs(self, **query: Any) -> Iterator[Keypair]:
        """List the caller's key pairs, or those of another user with
        `user_id`; pages are fetched lazily."""
        return Keypair.pages(self, query=query)

    def get_keypair(self, name: str, user_id: str | None = None) -> Keypair:
        """Get a key pair.  Raises NotFound."""
        response = self.get(_keypair(name), params=_user(user_id))
        return Keypair.existing(**exceptions.content(response, 'name'))

    def create_keypair(self, **attrs: Any) -> Keypair:
        """Import the `public_key`, or generate a key pair, whose
        `private_key` is returned only once; `name`, `type`, `user_id`."""
        return self._make(Keypair, '/keypairs', attrs)

    def delete_keypair(self, name: str, user_id: str | None = None,
                       ignore_missing: bool = True) -> None:
        """Delete a key pair.  Raises NotFound if not `ignore_missing`."""
        self._end(_keypair(name), ignore_missing, params=_user(user_id))

    def manageable_servers(self, **query: Any) -> Iterator[ManageableServer]:
        """List the nodes that can be adopted.  For administrators."""
        return ManageableServer.pages(self, query=query)

    def manage_server(self, **attrs: Any) -> Instance:
        """Adopt a node as an instance, which is `building` when this returns.

        `name`, `node_uuid`; `description`, `metadata`.  Raises Conflict.
        """
        return self._make(Instance, '/manageable_servers', attrs)

    def _make(self, kind: type[_Kind], path: str,
              attrs: dict[str, Any]) -> _Kind:
        # The service knows best which attributes there are.
        return self._read(kind, self.post(path, json=attrs))

    def _show(self, kind: type[_Kind], one: str | _Kind,
              **options: Any) -> _Kind:
        return self._read(kind, self.get(f'{kind.base_path}/{_id(one)}',
                                         **options))

    def _read(self, kind: type[_Kind],
              response: requests.Response) -> _Kind:
        return kind.existing(connection=self._get_connection(),
                             **exceptions.content(response, 'name'))

    def _look(self, instance: str | Instance, seconds: float) -> Instance:
        """Poll once, without retries: the next poll follows."""
        return self._show(Instance, instance, timeout=seconds,
                          connect_retries=0, status_code_retries=0)

    def _end(self, path: str, ignore_missing: bool, **options: Any) -> None:
        response = self.delete(path, **options)
        if not ignore_missing or (
                response.status_code != http.HTTPStatus.NOT_FOUND):
            exceptions.done(response, http.HTTPStatus.NO_CONTENT)

    def _change(self, kind: type[_Kind], path: str, one: str | _Kind,
                attrs: dict[str, Any]) -> _Kind:
        known = kind.existing(id=one) if isinstance(one, str) else one
        operations = known.patch_of(attrs)
        if not operations:
            return self._show(kind, known.id)
        return self._read(kind, self.patch(f'{path}/{_id(known)}',
                                           json=operations))

    def _put(self, instance: str | Instance, place: str, body: Any) -> None:
        exceptions.done(
            self.put(f'/instances/{_id(instance)}/states/{place}', json=body),
            http.HTTPStatus.ACCEPTED)

    def _named(self, kind: type[_Kind], name_or_id: str,
               ignore_missing: bool,
               members: Callable[[], Iterable[_Kind]]) -> _Kind | None:
        if _is_uuid(name_or_id):
            try:
                return self._show(kind, name_or_id)
            except exceptions.NotFound:
                pass
        found = [one for one in members() if one.name == name_or_id]
        noun = kind.__name__.lower()
        if len(found) > 1:
            raise exceptions.NotUnique(
                f'{len(found)} {noun}s have the name {name_or_id}: '
                + ', '.join(str(one.id) for one in found), found)
        if not found and not ignore_missing:
            raise exceptions.NotFound(
                f'No {noun} with the name or UUID {name_or_id} exists.')
        return found[0] if found else None


def _keypair(name: str) -> str:
    return f'/keypairs/{_base.segment(name)}'


def _user(user_id: str | None) -> dict[str, str]:
    return {} if user_id is None else {'user_id': user_id}


def _often(*wanted: int | None) -> int:
    """Return the first value that is set."""
    return next((number for number in wanted if number is not None),
                _retries.RETRIES)


def _id(one: str | _base.Resource) -> str:
    return _base.segment(one if isinstance(one, str) else str(one.id))


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
