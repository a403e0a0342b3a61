# SPDX-License-Identifier: Apache-2.0
"""What others are told, in which words and over which bus."""
