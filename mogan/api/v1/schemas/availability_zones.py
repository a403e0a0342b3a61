# SPDX-License-Identifier: Apache-2.0
"""Schemas of availability zones."""

from wsme import types as wtypes

from mogan.api import types


class AvailabilityZones(wtypes.Base):
    """The availability zones by name."""

    availability_zones = types.attribute([str])
