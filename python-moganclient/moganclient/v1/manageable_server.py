# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterable, Mapping

from moganclient.sdk.v1.instance import Instance
from moganclient.sdk.v1.manageable_server import ManageableServer
from moganclient.v1 import base


class ManageableServerManager(base.Manager[ManageableServer]):
    """Deployed nodes that can be adopted."""

    def _members(self) -> Iterable[ManageableServer]:
        return self.api.manageable_servers()

    def manage(self, name: str, node_uuid: str,
               description: str | None = None,
               metadata: Mapping[str, str] | None = None) -> Instance:
        """Adopt a node as an instance."""
        wanted = {'description': description, 'metadata': metadata}
        return self.api.manage_server(
            name=name, node_uuid=node_uuid,
            **{key: value for key, value in wanted.items()
               if value is not None})
