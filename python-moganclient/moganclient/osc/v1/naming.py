# SPDX-License-Identifier: Apache-2.0
"""Lookup of resources by name or UUID."""

import contextlib
import uuid

from osc_lib import exceptions as osc

from moganclient import exceptions


def add_instance(parser, many=False):
    """Add the argument for one or several instances."""
    parser.add_argument(
        'instances' if many else 'instance', nargs='+' if many else None,
        metavar='<instance>', help='Name or UUID')
    parser.add_argument(
        '--all-projects', action='store_true',
        help='Look the name up in all projects (for administrators)')


def instance(client, name, all_projects=False, anywhere=False):
    """Return the instance with this name or UUID.

    `anywhere`: if the project has none of this name, look for it in the
    other projects, if permitted.  Raises NotUnique, CommandError.
    """
    if not name:
        raise osc.CommandError('The instance name is empty')
    found = client.find_instance(name, all_projects=all_projects)
    if found is None and anywhere:
        with contextlib.suppress(exceptions.Forbidden):
            found = client.find_instance(name, all_projects=True)
    if found is None:
        where = '' if all_projects or anywhere or is_uuid(name) else (
            ' in this project')
        raise osc.CommandError(
            f'No instance with the name or UUID {name} exists{where}')
    return found


def image(manager, name):
    """Return the UUID of an image; only names are looked up."""
    if is_uuid(name):
        return name
    if not manager.is_service_available('image'):
        raise osc.CommandError(
            f'{name} is not a UUID, and the cloud has no image service to '
            'look up its name')
    return manager.image.find_image(name, ignore_missing=False).id


def is_uuid(text):
    """Return True if a string is a UUID in the usual form."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
