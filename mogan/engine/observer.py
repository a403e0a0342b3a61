# SPDX-License-Identifier: Apache-2.0
"""An observer of an engine's work."""


class Observer:
    """An observer that ignores everything; called in the worker's thread."""

    def ended(self, verb: str, outcome: str, seconds: float) -> None:
        """Observe the end of an action, N seconds after its request."""

    def set_aside(self, column: str) -> None:
        """Observe that a row was quarantined for its value of a column."""

    def claim_lost(self, reason: str) -> None:
        """Observe that a claim was lost before its work was done."""

    def listening(self, *, well: bool) -> None:
        """Observe whether messages can be received from the broker."""
