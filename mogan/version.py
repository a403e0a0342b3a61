# SPDX-License-Identifier: Apache-2.0
"""The version of the installed distribution, as pbr took it from git."""

import pbr.version


def version_string() -> str:
    """Return the version with its development suffix, if it has one."""
    return str(pbr.version.VersionInfo('mogan').release_string())
