# SPDX-License-Identifier: Apache-2.0
"""An HTTP/1.1 server for a WSGI application: cheroot, with errors as JSON and
with limits that it lacks.  It knows nothing of the service."""
