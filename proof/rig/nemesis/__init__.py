# SPDX-License-Identifier: Apache-2.0
"""What goes wrong while the clients work, in three lanes at once: the
services, the servers they need, and the hardware."""
