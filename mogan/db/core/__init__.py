# SPDX-License-Identifier: Apache-2.0
"""Connections to the database, whatever is stored in it."""
