# SPDX-License-Identifier: Apache-2.0
# Before the first import of oslo.messaging, which would choose eventlet.
from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)
