# SPDX-License-Identifier: Apache-2.0
"""Differences between the rows and their nodes, found and repaired."""
