# SPDX-License-Identifier: Apache-2.0
"""The mark that tells a protection of the service's own from one that
somebody else has set on the node."""

import dataclasses
from typing import Final

# Characters that a reason may have in the hardware management.
_LONGEST: Final = 255


@dataclasses.dataclass(frozen=True, slots=True)
class Protection:
    """The protection that the lock of an instance puts on its node.

    `reason`: the lock's.  `unmarked`: the instance is known to be protected,
    perhaps by a release that set the bare reason: then that is ours too.
    """

    instance_uuid: str
    reason: str | None = None
    unmarked: bool = False

    @property
    def text(self) -> str:
        """Return the reason on the node: the mark, and as much of the lock's
        reason as there is room for."""
        mark = self._mark
        return f'{mark}: {self.reason}'[:_LONGEST] if self.reason else mark

    def owns(self, reason: str | None) -> bool:
        """Return whether a protection with this reason is ours."""
        return (reason or '').startswith(self._mark) or (
            self.unmarked and (reason or None) == (self.reason or None))

    @property
    def _mark(self) -> str:
        return f'mogan {self.instance_uuid}'
