# SPDX-License-Identifier: Apache-2.0
"""Simulated hardware, kept in an inventory file."""

from mogan.baremetal.simulated.driver import SimulatedDriver

__all__ = ['SimulatedDriver']
