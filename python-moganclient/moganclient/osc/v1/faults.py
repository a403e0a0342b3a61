# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong as one line for a person."""

import contextlib
import shlex

import requests
from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk
from osc_lib import exceptions as osc

from moganclient import exceptions

# Candidates for a name.
_SHOWN = 10
_PREFIXES = (
    (exceptions.Unauthorized, 'Not authenticated'),
    (keystone.SSLFailure, 'No trust in what answers'),
    (keystone.ConnectFailure, 'The service does not answer'),
    (requests.exceptions.JSONDecodeError,
     'What answers is not the bare-metal compute service'))


@contextlib.contextmanager
def told(name=None):
    """Raise what can be expected to go wrong as a CommandError of one line;
    `name`: the instance as the user has called it."""
    try:
        yield
    except osc.CommandError:
        raise
    except (sdk.SDKException, keystone.ClientException,
            requests.exceptions.RequestException) as error:
        raise osc.CommandError(text(error, name)) from error


def text(error, name=None):
    """The line for an error."""
    if isinstance(error, exceptions.InstanceLocked):
        return refusal(error, name)
    if isinstance(error, exceptions.NotUnique):
        return _ambiguous(error)
    for kind, prefix in _PREFIXES:
        if isinstance(error, kind):
            return f'{prefix}: {_line(error)}'
    return _line(error)


def refusal(error, name=None):
    """Who holds a lock, since when, why, and how it is released."""
    name = name or error.instance_id or 'the instance'
    since = f' since {error.since}' if error.since else ''
    by = f' by {error.holder}' if error.holder else ''
    why = f': {error.reason}' if error.reason else ''
    return (f'{name} is locked{since}{by}{why}. An administrator releases it '
            'with: openstack baremetalcompute instance unlock '
            f'{shlex.quote(name)}')


def _ambiguous(error):
    shown = ', '.join(f'{one.id} ({one.status})'
                      for one in error.candidates[:_SHOWN])
    more = len(error.candidates) - _SHOWN
    tail = f' and {more} more' if more > 0 else ''
    return f'{_line(error).rstrip(".")}; name one by its uuid: {shown}{tail}'


def _line(error):
    return ' '.join(str(error).split())
