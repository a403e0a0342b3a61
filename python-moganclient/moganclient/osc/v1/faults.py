# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong as one line for a person."""

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
    (keystone.SSLError, 'The service is not trusted'),
    (keystone.ConnectionError, 'The service does not answer'),
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
    if isinstance(error, exceptions.NotFound) and _elsewhere(error):
        return ('What answers is not the bare-metal compute service: '
                f'{error.url} is not there')
    if isinstance(getattr(error, 'original', None), _NO_URL):
        return ('The endpoint is no address with http:// or https://: '
                f'{_ADDRESS.search(str(error))[1]}')
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
    found = error.candidates
    shown = ', '.join(f'{one.id} ({one.status})' for one in found[:_SHOWN])
    more = f' and {len(found) - _SHOWN} more' if len(found) > _SHOWN else ''
    return (f'{len(found)} instances have the name {found[0].name}, use a '
            f'uuid: {shown}{more}')


def _elsewhere(error):
    """Whether a list is missing, which the service always has."""
    path = urllib.parse.urlsplit(error.url or '').path
    return path.rpartition('/')[2] in _LISTS


def _line(error):
    """The text, without what requests adds of its own inner life, and
    without what a proxy shows to browsers."""
    response = getattr(error, 'response', None)
    if response is not None and 'text/html' in response.headers.get(
            'content-type', ''):
        return f'{response.status_code} {response.reason}'
    text, _, details = ' '.join(str(error).split()).partition(': HTTP')
    reason = _REASON.search(details)
    return f'{text}: {reason[1]}' if reason else text
