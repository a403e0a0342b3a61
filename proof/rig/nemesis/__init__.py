# SPDX-License-Identifier: Apache-2.0
"""What goes wrong while the clients work, in four lanes at once: services
end, processes pause, servers go away, and the hardware fails."""
