# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterable

from moganclient.sdk.v1.availability_zone import AvailabilityZone
from moganclient.v1 import base


class AvailabilityZoneManager(base.Manager[AvailabilityZone]):
    """The availability zones."""

    def _members(self) -> Iterable[AvailabilityZone]:
        return self.api.availability_zones()
