# SPDX-License-Identifier: Apache-2.0
"""JSON Patch (RFC 6902), for paths that have been validated before."""

from typing import Any

import jsonpatch
import jsonpointer
from wsme import types as wtypes

from mogan import exception
from mogan.api import types


class Value(wtypes.UserType):
    """Any JSON value; the schema of the result validates it."""

    basetype = dict
    name = 'value'


class Operation(wtypes.Base):
    """One operation of a JSON Patch."""

    op = wtypes.wsattr(wtypes.Enum(str, 'add', 'replace', 'remove', 'test'),
                       mandatory=True)
    path = wtypes.wsattr(str, mandatory=True)
    value = wtypes.wsattr(Value())


def apply(operations: list[Operation], document: dict[str, Any],
          ) -> dict[str, Any]:
    """Return the document with the patch applied.

    Raises Invalid for a path that the document does not have, Conflict for a
    test that fails.
    """
    for number, operation in enumerate(operations):
        step = {'op': operation.op, 'path': operation.path}
        if operation.value is not wtypes.Unset:
            step['value'] = operation.value
        try:
            document = jsonpatch.apply_patch(document, [step])
        except jsonpatch.JsonPatchTestFailed:
            raise exception.Conflict(
                f'$[{number}]: the value at {types.clip(operation.path)} '
                f'differs.') from None
        except (jsonpatch.JsonPatchException,
                jsonpointer.JsonPointerException):
            raise exception.Invalid(
                place=f'$[{number}].path',
                fault=f'{types.clip(operation.path)} not found to '
                f'{operation.op}') from None
    return document
