# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moganclient import exceptions
from moganclient.sdk.v1.flavor import Flavor
from moganclient.v1 import base


class FlavorManager(base.Manager[Flavor]):
    """The flavors of instances."""

    def _members(self) -> Iterable[Flavor]:
        return self.api.flavors()

    def get(self, flavor: str | Flavor) -> Flavor:
        return self.api.get_flavor(base.id_of(flavor))

    def create(self, name: str, resource: Mapping[str, int],
               resource_aggregate: Mapping[str, str] | None = None,
               is_public: bool = True, disabled: bool = False,
               description: str | None = None) -> Flavor:
        """Create a flavor.  Raises ValueError for `resource_aggregate`, which
        is not supported: `baremetal_compute.create_flavor` has traits."""
        if resource_aggregate:
            raise ValueError('resource_aggregate is not supported: use traits')
        return self.api.create_flavor(
            name=name, resources=dict(resource), is_public=is_public,
            disabled=disabled, description=description)

    def delete(self, flavor: str | Flavor) -> None:
        self.api.delete_flavor(base.id_of(flavor), ignore_missing=False)

    def update(self, flavor: str | Flavor,
               data: 'Sequence[Mapping[str, Any]]') -> Flavor:
        """Send a JSON patch (RFC 6902)."""
        response = self.api.patch(f'/flavors/{base.id_of(flavor)}', json=data)
        exceptions.raise_for(response)
        return Flavor.existing(**response.json())
