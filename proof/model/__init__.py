# SPDX-License-Identifier: Apache-2.0
"""An exhaustive exploration of how instances are locked and destroyed."""
