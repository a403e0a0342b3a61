# SPDX-License-Identifier: Apache-2.0
"""The service as openstacksdk finds it in a catalog."""

from openstack import service_description

from moganclient.sdk.v1 import _proxy


class BaremetalComputeService(
        service_description.ServiceDescription[_proxy.Proxy]):
    """The service type `baremetal_compute`, which is not an official one."""

    supported_versions = {'1': _proxy.Proxy}  # noqa: RUF012 - as the base's
