# SPDX-License-Identifier: Apache-2.0
"""Mogan as a service of openstacksdk: `connection.baremetal_compute`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openstack.connection


def add_to(connection: 'openstack.connection.Connection',
           ) -> 'openstack.connection.Connection':
    """Add the service `baremetal_compute` to a connection; returns the
    connection."""
    from moganclient.sdk import baremetal_compute_service  # noqa: PLC0415
    connection.add_service(
        baremetal_compute_service.BaremetalComputeService(
            'baremetal_compute'))
    return connection


def vendor_hook(connection: 'openstack.connection.Connection') -> None:
    """Register the service on a connection; for `vendor_hook:
    moganclient.sdk:vendor_hook` in a clouds.yaml or a vendor's profile."""
    add_to(connection)
