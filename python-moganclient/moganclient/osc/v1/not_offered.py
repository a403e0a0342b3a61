# SPDX-License-Identifier: Apache-2.0
"""Commands of 0.1.0 for what the service does not have.

They are here so that a script is told that, and not that it should have
meant another command.
"""

from moganclient.osc.v1.commands import NotOffered


class Aggregate(NotOffered):
    """Groups of nodes are not offered."""

    what = 'aggregates'


class ServerGroup(NotOffered):
    """Groups of servers are not offered."""

    what = 'server groups'


class Network(NotOffered):
    """Changes of the networks of servers are not offered."""

    what = 'networks of its own: ask the network service'


class Console(NotOffered):
    """Consoles are not offered."""

    what = 'consoles'
