# SPDX-License-Identifier: Apache-2.0
"""How a path finds its controller.

Pecan's own RestController guesses from names and numbers of arguments: it
answers some wrong paths with a fault of the service, and some wrong methods
as if the path were wrong.
"""

from typing import Any, ClassVar, Final

import pecan

from mogan import exception

_METHODS: Final = ('get', 'post', 'put', 'patch', 'delete')


class Place:
    """A place in the tree of paths.

    Methods named as those of HTTP, and exposed, answer at the place itself.
    Attributes that are places lie below it under their names; one named
    `item` lies below under every other name, which becomes an argument of
    the methods there; `key` is what kind of name that is.  `segment`: the
    name in paths of a place whose name no attribute can have.
    """

    segment: ClassVar[str | None] = None
    key: ClassVar[str] = 'uuid'

    methods: ClassVar[dict[str, str]] = {}
    named_below: ClassVar[dict[str, 'Place']] = {}
    item_below: ClassVar['Place | None'] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.methods = {name.upper(): name for name in _METHODS
                        if hasattr(cls, name)}
        cls.named_below = {
            value.segment or name: value
            for name, value in vars(cls).items()
            if isinstance(value, Place) and name[0] != '_'}
        cls.item_below = cls.named_below.pop('item', None)

    @pecan.expose()
    def _route(self, args: list[str], request: Any) -> tuple[Any, list[str]]:
        """Pecan's way in: the method that answers, and its arguments."""
        place, taken = self, []
        # One slash at the end is forgiven.
        names = args[:-1] if args and not args[-1] else args
        for name in names:
            below = place.named_below.get(name)
            if below is None:
                below = place.item_below
                if below is None or not name:
                    raise exception.NotFound
                taken.append(name)
            place = below
        method = place.methods.get(request.method)
        if method is None:
            raise exception.MethodNotAllowed(
                request.method, sorted(place.methods))
        return getattr(place, method), taken
