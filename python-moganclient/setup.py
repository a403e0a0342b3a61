# SPDX-License-Identifier: Apache-2.0
"""The entry for tools that do not read pyproject.toml; see setup.cfg.

pbr takes the version from the tags of the repository, and these are the
service's. What setup.cfg says is the version, in a checkout and in a tarball
alike, whatever PBR_VERSION asks for the service.
"""

import configparser
import os
import pathlib

import setuptools

_parser = configparser.ConfigParser()
_parser.read(pathlib.Path(__file__).with_name('setup.cfg'), encoding='utf-8')
os.environ['PBR_VERSION'] = _parser['metadata']['version']

setuptools.setup(setup_requires=['pbr>=6.1.1'], pbr=True)
