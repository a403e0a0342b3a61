# SPDX-License-Identifier: Apache-2.0
"""The version of the installed distribution, as pbr took it from git."""

import pbr.version

version_info = pbr.version.VersionInfo('mogan')
