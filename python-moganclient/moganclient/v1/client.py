# SPDX-License-Identifier: Apache-2.0
"""The client, with a manager for each resource."""

from typing import Any

import openstack.connection
from keystoneauth1 import http_basic, noauth, plugin, token_endpoint
from keystoneauth1 import session as keystone_session

from moganclient import sdk
from moganclient.sdk.v1 import _proxy
from moganclient.v1 import (
    availability_zone,
    flavor,
    keypair,
    manageable_server,
    node,
    server,
)

_OVERRIDE = 'baremetal_compute_endpoint_override'


class Client:
    """The service, as `server`, `flavor`, `keypair`, `node`,
    `manageable_server` and `availability_zone`; `baremetal_compute` is the
    service of openstacksdk that they call.

    Give an `endpoint` with `token`, with `username` and `password` (HTTP
    basic), or alone; or a keystoneauth `session`, whose catalog has the
    endpoint unless one is given.  `options` are passed to the connection of
    openstacksdk, such as `region_name`.

    Raises ValueError without an endpoint and a session.
    """

    def __init__(self, endpoint: str | None = None, token: str | None = None,
                 session: keystone_session.Session | None = None, *,
                 username: str | None = None, password: str | None = None,
                 **options: Any) -> None:
        if session is None:
            if endpoint is None:
                raise ValueError('An endpoint or a session is required')
            session = keystone_session.Session(
                auth=_auth(endpoint, token, username, password))
        if endpoint is not None:
            options[_OVERRIDE] = endpoint
        self.connection = sdk.add_to(openstack.connection.Connection(
            session=session, **options))
        service = _service_of(self.connection)
        self.baremetal_compute = service
        self.server = server.ServerManager(service)
        self.flavor = flavor.FlavorManager(service)
        self.keypair = keypair.KeyPairManager(service)
        self.node = node.NodeManager(service)
        self.manageable_server = manageable_server.ManageableServerManager(
            service)
        self.availability_zone = availability_zone.AvailabilityZoneManager(
            service)


def _service_of(connection: Any) -> _proxy.Proxy:
    """Return the proxy that `add_to` has set, which the connection's type does
    not declare."""
    service: _proxy.Proxy = connection.baremetal_compute
    return service


def _auth(endpoint: str, token: str | None, username: str | None,
          password: str | None) -> plugin.BaseAuthPlugin:
    if token is not None:
        return token_endpoint.Token(endpoint, token)
    if username is not None:
        return http_basic.HTTPBasicAuth(
            endpoint=endpoint, username=username, password=password)
    return noauth.NoAuth(endpoint=endpoint)
