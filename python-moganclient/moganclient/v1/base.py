# SPDX-License-Identifier: Apache-2.0
"""Base class of the managers."""

import builtins
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from openstack import resource

from moganclient import exceptions
from moganclient.sdk.v1 import _proxy

Kind = TypeVar('Kind', bound=resource.Resource)


class Manager(Generic[Kind]):
    """The calls of one resource."""

    def __init__(self, api: _proxy.Proxy) -> None:
        self.api = api

    def _members(self) -> Iterable[Kind]:
        raise NotImplementedError

    def list(self) -> list[Kind]:
        """Return all resources."""
        return list(self._members())

    def findall(self, **kwargs: Any) -> builtins.list[Kind]:
        """Return the resources with these attributes."""
        return [one for one in self._members()
                if all(getattr(one, name, None) == value
                       for name, value in kwargs.items())]

    def find(self, **kwargs: Any) -> Kind:
        """Return the only resource with these attributes.

        Raises NotFound, NotUnique.
        """
        found = self.findall(**kwargs)
        if not found:
            raise exceptions.NotFound(f'No resource with {kwargs} exists.')
        if len(found) > 1:
            raise exceptions.NotUnique(
                f'{len(found)} resources have {kwargs}.', found)
        return found[0]


def id_of(thing: Any) -> str:
    """Return the UUID of a resource, or a UUID itself."""
    return str(getattr(thing, 'id', thing))
