# SPDX-License-Identifier: Apache-2.0
"""What the managers share."""

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
        """All of them."""
        return list(self._members())

    def findall(self, **kwargs: Any) -> builtins.list[Kind]:
        """Those with these attributes."""
        return [one for one in self._members()
                if all(getattr(one, name, None) == value
                       for name, value in kwargs.items())]

    def find(self, **kwargs: Any) -> Kind:
        """The only one with these attributes.

        Raises NotFound, NotUnique.
        """
        found = self.findall(**kwargs)
        if not found:
            raise exceptions.NotFound(f'There is none with {kwargs}.')
        if len(found) > 1:
            raise exceptions.NotUnique(
                f'{len(found)} have {kwargs}.', found)
        return found[0]


def id_of(thing: Any) -> str:
    """The uuid of a resource, or of what is one already."""
    return str(getattr(thing, 'id', thing))
