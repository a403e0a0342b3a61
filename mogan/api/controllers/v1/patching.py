# SPDX-License-Identifier: Apache-2.0
"""JSON patches (RFC 6902), whose paths have been checked before."""

from typing import Any

import jsonpatch
import jsonpointer
from wsme import types as wtypes

from mogan import exception
from mogan.api import types


class Value(wtypes.UserType):
    """Any value of JSON; the schema of the whole judges it."""

    basetype = dict
    name = 'value'


class Operation(wtypes.Base):
    """One step of a patch."""

    op = wtypes.wsattr(wtypes.Enum(str, 'add', 'replace', 'remove', 'test'),
                       mandatory=True)
    path = wtypes.wsattr(str, mandatory=True)
    value = wtypes.wsattr(Value())


def apply(operations: list[Operation], document: dict[str, Any],
          ) -> dict[str, Any]:
    """The document with the patch in it.

    Raises Invalid for a step that it has no place for, Conflict for a test
    that does not hold.
    """
    for number, operation in enumerate(operations):
        step = {'op': operation.op, 'path': operation.path}
        if operation.value is not wtypes.Unset:
            step['value'] = operation.value
        try:
            document = jsonpatch.apply_patch(document, [step])
        except jsonpatch.JsonPatchTestFailed:
            raise exception.Conflict(
                f'$[{number}]: the value at {types.clip(operation.path)} is '
                f'another one.') from None
        except (jsonpatch.JsonPatchException,
                jsonpointer.JsonPointerException):
            raise exception.Invalid(
                place=f'$[{number}].path',
                fault=f'there is no {types.clip(operation.path)} to '
                f'{operation.op}') from None
    return document
