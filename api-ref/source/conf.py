# SPDX-License-Identifier: Apache-2.0
"""Sphinx configuration of the API reference."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / 'doc'))

from theme import *  # noqa: F403, H303 - what the three manuals share

extensions = ['openstackdocstheme', 'os_api_ref']
