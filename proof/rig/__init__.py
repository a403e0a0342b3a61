# SPDX-License-Identifier: Apache-2.0
"""A rig that races and breaks a whole deployment, and a checker that judges
what its clients were answered and what its hardware was told.

`python -m proof.rig --help` says how to run it.
"""
