# SPDX-License-Identifier: Apache-2.0
"""Versioned notifications about instances."""
