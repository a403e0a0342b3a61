# SPDX-License-Identifier: Apache-2.0
"""Applications for any WSGI server."""

from mogan import threads  # noqa: F401 - before anything else
