# SPDX-License-Identifier: Apache-2.0
"""The HTTP API against its own description, and against bytes that are no
requests: nothing that a client can send may break the service."""
