# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of the service, beside the least that its answers need.

`python -m benchmarks --help` tells how to run them.
"""

import mogan.cmd  # noqa: F401 - chooses threads, before oslo.messaging does
