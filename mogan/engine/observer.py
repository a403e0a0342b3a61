# SPDX-License-Identifier: Apache-2.0
"""Who wants to know what an engine does."""


class Observer:
    """Hears of it, in the thread that does it; this one does not listen."""

    def ended(self, verb: str, outcome: str, seconds: float) -> None:
        """An action has ended, so long after its request."""

    def claim_lost(self, reason: str) -> None:
        """A claim was left before the work under it was done."""
