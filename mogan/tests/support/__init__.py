# SPDX-License-Identifier: Apache-2.0
"""Processes, servers and clients that tests, proof and benchmarks start."""
