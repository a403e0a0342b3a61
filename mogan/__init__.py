# SPDX-License-Identifier: Apache-2.0
"""Bare-metal instances as a service."""
