# SPDX-License-Identifier: Apache-2.0
"""Random sequences of requests, time and faults against the whole service
in one process, and what has to be true after each step.

`python -m proof.stateful --help` says how to run it.
"""
