# SPDX-License-Identifier: Apache-2.0
import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from moganclient import exceptions
from moganclient.sdk.v1 import _base
from moganclient.sdk.v1.instance import Instance
from moganclient.v1 import base

Server = Instance


class ServerManager(base.Manager[Instance]):
    """Instances, under their name in 0.1.0."""

    def _members(self) -> Iterable[Instance]:
        return self.api.instances()

    def list(self, detailed: bool = False,
             all_projects: bool = False) -> list[Instance]:
        """Return the caller's instances, or those of all projects."""
        return list(self.api.instances(detailed, all_projects=all_projects))

    def get(self, server_id: str | Instance) -> Instance:
        return self.api.get_instance(base.id_of(server_id))

    def create(self, name: str,  # noqa: PLR0913, PLR0917 - as it was
               image_uuid: str, flavor_uuid: str,
               networks: 'Sequence[Mapping[str, str]] | None' = None,
               description: str | None = None,
               availability_zone: str | None = None,
               metadata: Mapping[str, str] | None = None,
               userdata: str | bytes | IO[Any] | None = None,
               files: object = None, key_name: str | None = None,
               min_count: int | None = None, max_count: int | None = None,
               hint: object = None,
               partitions: Mapping[str, Any] | None = None,
               **options: Any) -> Instance:
        """Create an instance.

        `userdata` is a string or a file, which is sent in base64.
        `options` are other fields of the API. `networks` are stored and
        shown but not attached.

        Raises ValueError for `files`, `hint`, and counts above 1, which are
        not supported.
        """
        if files or hint or (min_count or 1) > 1 or (max_count or 1) > 1:
            raise ValueError(
                'files, hint and counts above 1 are not supported')
        wanted = {
            'key_name': key_name, 'partitions': partitions,
            'networks': networks or None, 'description': description,
            'availability_zone': availability_zone, 'metadata': metadata,
            'user_data': userdata and _encoded(userdata),
            } | options
        make = (self.api.create_server if networks
                else self.api.create_instance)
        return make(
            name=name, image_uuid=image_uuid, flavor_uuid=flavor_uuid,
            **{key: value for key, value in wanted.items()
               if value is not None})

    def delete(self, server_id: str | Instance) -> None:
        self.api.delete_instance(base.id_of(server_id), ignore_missing=False)

    def update(self, server_id: str | Instance,
               updates: 'Sequence[Mapping[str, Any]]') -> Instance:
        """Send a JSON patch (RFC 6902)."""
        path = f'/instances/{_base.segment(base.id_of(server_id))}'
        return Instance.existing(**exceptions.content(
            self.api.patch(path, json=updates), 'name'))

    def rebuild(self, server_id: str | Instance,
                image_uuid: str | None = None,
                preserve_ephemeral: bool | None = None) -> None:
        """Rebuild an instance.

        Raises ValueError for `preserve_ephemeral`, which is not supported.
        """
        if preserve_ephemeral:
            raise ValueError('preserve_ephemeral is not supported')
        self.api.rebuild_instance(base.id_of(server_id), image_uuid)

    def set_power_state(self, server_id: str | Instance,
                        power_state: str) -> None:
        """Change the power: on, off, reboot, soft_off or soft_reboot."""
        self.api.set_instance_power_state(base.id_of(server_id), power_state)

    def set_lock_state(self, server_id: str | Instance,
                       lock_state: bool) -> None:
        """Lock (true) or unlock (false)."""
        change = (self.api.lock_instance if lock_state
                  else self.api.unlock_instance)
        change(base.id_of(server_id))


def _encoded(userdata: str | bytes | IO[Any]) -> str:
    content = (userdata if isinstance(userdata, (str, bytes))
               else userdata.read())
    if isinstance(content, str):
        content = content.encode()
    return base64.b64encode(content).decode()
