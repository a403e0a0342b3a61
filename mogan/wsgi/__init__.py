# SPDX-License-Identifier: Apache-2.0
"""The service for WSGI servers.  Importing it picks threads as the backend,
before a library can pick another one."""

from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)
