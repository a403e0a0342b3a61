# SPDX-License-Identifier: Apache-2.0
"""Threads are what everything runs on.

To be imported before any other module of the oslo libraries: the first one
to ask would get eventlet otherwise, which they still bring along.
"""

import warnings

# It is installed, imported and never used.
warnings.filterwarnings('ignore', message=r'\s*Eventlet is deprecated')

from oslo_service import backend  # noqa: E402 - behind the filter

backend.init_backend(backend.BackendType.THREADING)
