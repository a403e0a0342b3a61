# SPDX-License-Identifier: Apache-2.0
"""The commands."""

from mogan import threads  # noqa: F401 - before anything else
