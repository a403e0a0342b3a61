# SPDX-License-Identifier: Apache-2.0
"""Pecan hooks around each controller."""

from typing import Any

from pecan import hooks

from mogan import exception


class ContextHook(hooks.PecanHook):
    """Sets `pecan.request.context`, and reveals the holder of a lock to
    callers who may see it."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy

    def on_route(self, state: Any) -> None:
        state.request.context = state.request.environ['mogan.context']

    def on_error(self, state: Any, error: Exception) -> None:
        if isinstance(error, exception.InstanceLocked) and (
                self._policy.check(
                    state.request.context,
                    'mogan:instance:get_admin_fields',
                    {'project_id': error.project_id})):
            error.reveal_holder()
