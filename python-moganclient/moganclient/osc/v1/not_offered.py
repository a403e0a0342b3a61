# SPDX-License-Identifier: Apache-2.0
"""Commands of 0.1.0 that are not supported.

Without them the error would suggest other commands of similar names.
"""

from moganclient.osc.v1.commands import NotOffered


class Aggregate(NotOffered):
    """Groups of nodes are not supported."""

    what = 'aggregates'


class ServerGroup(NotOffered):
    """Groups of servers are not supported."""

    what = 'server groups'


class Network(NotOffered):
    """Changes of the networks of servers are not supported."""

    what = 'networks of its own: use the network service'


class Console(NotOffered):
    """Consoles are not supported."""

    what = 'consoles'
