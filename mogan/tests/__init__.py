# SPDX-License-Identifier: Apache-2.0
from mogan import threads  # noqa: F401 - before anything else
