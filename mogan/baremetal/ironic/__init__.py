# SPDX-License-Identifier: Apache-2.0
"""Hardware that Ironic manages."""
