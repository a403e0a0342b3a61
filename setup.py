# SPDX-License-Identifier: Apache-2.0
"""The entry for tools that do not read pyproject.toml; see setup.cfg."""

import setuptools

setuptools.setup(setup_requires=['pbr>=6.1.1'], pbr=True)
