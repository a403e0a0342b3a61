# SPDX-License-Identifier: Apache-2.0
"""Faults while the clients work, in several lanes at once: services
end, processes pause, servers go away, change places or refuse, clocks are
set, rows are edited, and the hardware fails."""
