# SPDX-License-Identifier: Apache-2.0
"""The checks of `mogan-status upgrade check`, by what they ask.

Each module lists its own in CHECKS, as oslo.upgradecheck takes them: a title
and a function of one argument that returns a Result.
"""
