# SPDX-License-Identifier: Apache-2.0
"""From what a user calls a thing to the thing."""

import contextlib
import uuid

from osc_lib import exceptions as osc

from moganclient import exceptions


def add_instance(parser, many=False):
    """One instance as an argument, or several."""
    parser.add_argument(
        'instances' if many else 'instance', nargs='+' if many else None,
        metavar='<instance>', help='Name or uuid')
    parser.add_argument(
        '--all-projects', action='store_true',
        help='Look for the name in all projects (for administrators)')


def instance(client, name, all_projects=False, anywhere=False):
    """The instance of this name or uuid.

    `anywhere`: if the project has none of this name, look for it in the
    others, where the caller may.  Raises NotUnique, CommandError.
    """
    if not name:
        raise osc.CommandError('The name of an instance is empty')
    found = client.find_instance(name, all_projects=all_projects)
    if found is None and anywhere:
        with contextlib.suppress(exceptions.Forbidden):
            found = client.find_instance(name, all_projects=True)
    if found is None:
        where = '' if all_projects or anywhere or is_uuid(name) else (
            ' in this project')
        raise osc.CommandError(
            f'There is no instance with the name or uuid {name}{where}')
    return found


def image(manager, name):
    """The uuid of an image; one that is a uuid is not looked up."""
    if is_uuid(name):
        return name
    if not manager.is_service_available('image'):
        raise osc.CommandError(
            f'{name} is no uuid, and there is no image service to look it '
            'up in')
    return manager.image.find_image(name, ignore_missing=False).id


def is_uuid(text):
    """Whether a text is a uuid in the usual form."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
