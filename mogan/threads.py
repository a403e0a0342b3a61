# SPDX-License-Identifier: Apache-2.0
"""Selection of the threading backend of oslo.service.

To be imported before any other module of the oslo libraries: the first one to
ask would get eventlet otherwise, which they still depend on.
"""

import sys

# The libraries import it where they find it, a sixth of the start of each
# command. None is importlib's word for a module that cannot be had.
sys.modules['eventlet'] = None  # type: ignore[assignment]

from oslo_service import backend  # noqa: E402 - behind that

backend.init_backend(backend.BackendType.THREADING)
