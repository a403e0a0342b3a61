# SPDX-License-Identifier: Apache-2.0
"""WSGI middleware in front of the controllers, in the order of
`mogan.api.app`."""
