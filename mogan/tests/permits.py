# SPDX-License-Identifier: Apache-2.0
"""Permits for a test's own driver calls."""

from unittest import mock

from mogan.baremetal.driver import Permit


def always():
    """Return a lease that covers every call."""
    return True


class Permits:
    """A mixin for tests that call a driver."""

    # Tells whether the caller's lease covers its calls.
    covered = staticmethod(always)

    def permit(self, fence):
        """Return a permit with this fencing token."""
        return Permit(fence, self.covered)

    def covering(self, covered):
        """Let calls ask this function, in the block."""
        return mock.patch.object(self, 'covered', covered)
