# SPDX-License-Identifier: Apache-2.0
"""Errors as one-line messages."""

import contextlib
import re
import shlex
import urllib.parse

import requests
from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk
from osc_lib import exceptions as osc

from moganclient import exceptions

# Candidates for a name.
_SHOWN = 10
_LISTS = frozenset({'detail', 'flavors', 'nodes', 'manageable_servers'})
_ADDRESS = re.compile(r' for (\S+): ')
_NO_URL = (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL,
           requests.exceptions.MissingSchema)
_REASON = re.compile(r'\[Errno -?\d+\] ([\w ,.-]+)')
_PREFIXES = (
    (exceptions.Unauthorized, 'Not authenticated'),
    (keystone.SSLError, 'The server certificate is not trusted'),
    (keystone.ConnectionError, 'The service does not answer'),
    (requests.exceptions.JSONDecodeError,
     'The endpoint is not the bare-metal compute service'))


@contextlib.contextmanager
def told(name=None):
    """Convert expected errors to a CommandError of one line; `name`: the
    instance as the user has named it."""
    try:
        yield
    except osc.CommandError:
        raise
    except (sdk.SDKException, keystone.ClientException,
            requests.exceptions.RequestException) as error:
        raise osc.CommandError(text(error, name)) from error


def text(error, name=None):
    """Return the one-line message of an error."""
    if isinstance(error, exceptions.InstanceLocked):
        return refusal(error, name)
    if isinstance(error, exceptions.NotUnique):
        return _ambiguous(error)
    if isinstance(error, exceptions.NotFound) and _elsewhere(error):
        return ('The endpoint is not the bare-metal compute service: '
                f'{error.url} does not exist')
    if isinstance(getattr(error, 'original', None), _NO_URL):
        return ('The endpoint is not an http:// or https:// URL: '
                f'{_ADDRESS.search(str(error))[1]}')
    for kind, prefix in _PREFIXES:
        if isinstance(error, kind):
            return f'{prefix}: {_line(error)}'
    return _line(error)


def refusal(error, name=None):
    """Describe a lock: its holder, time, reason and release."""
    name = name or error.instance_id or 'the instance'
    since = f' since {error.since}' if error.since else ''
    by = f' by {error.holder}' if error.holder else ''
    why = f': {error.reason}' if error.reason else ''
    end = ('It is being unlocked: retry when that is done'
           if error.state == 'unlocking' else
           'An administrator releases it with: openstack baremetalcompute '
           f'instance unlock {shlex.quote(name)}')
    return f'{name} is locked{since}{by}{why}. {end}'


def _ambiguous(error):
    found = error.candidates
    shown = ', '.join(f'{one.id} ({one.status})' for one in found[:_SHOWN])
    more = f' and {len(found) - _SHOWN} more' if len(found) > _SHOWN else ''
    return (f'{len(found)} instances have the name {found[0].name}, use a '
            f'uuid: {shown}{more}')


def _elsewhere(error):
    """Return True if a list is missing, which the service always has."""
    path = urllib.parse.urlsplit(error.url or '').path
    return path.rpartition('/')[2] in _LISTS


def _line(error):
    """Return the message without the internals of requests and without the
    HTML page of a proxy."""
    response = getattr(error, 'response', None)
    if response is not None and 'text/html' in response.headers.get(
            'content-type', ''):
        return f'{response.status_code} {response.reason}'
    text, _, details = ' '.join(str(error).split()).partition(': HTTP')
    reason = _REASON.search(details)
    return f'{text}: {reason[1]}' if reason else text
