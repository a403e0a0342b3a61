# SPDX-License-Identifier: Apache-2.0
"""What the availability zones look like."""

from wsme import types as wtypes

from mogan.api import types


class AvailabilityZones(wtypes.Base):
    """The availability zones by name."""

    availability_zones = types.attribute([str])
