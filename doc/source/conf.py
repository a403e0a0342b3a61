# SPDX-License-Identifier: Apache-2.0
"""Sphinx configuration of the guides."""

import pathlib
import sys

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent))

from theme import *  # noqa: E402, F403, H303 - what the three manuals share

extensions = [
    'cliff.sphinxext',
    'openstackdocstheme',
    'oslo_config.sphinxconfiggen',
    'oslo_config.sphinxext',
    'oslo_policy.sphinxext',
    'oslo_policy.sphinxpolicygen',
]

# Both samples are generated into _static, for the pages to include.
config_generator_config_file = str(
    here / '../../etc/mogan/mogan-config-generator.conf')
sample_config_basename = '_static/mogan'
policy_generator_config_file = str(
    here / '../../etc/mogan/mogan-policy-generator.conf')
sample_policy_basename = '_static/mogan'

# The client's commands. What cliff gives to each command is said once.
autoprogram_cliff_app_dist_name = 'python-moganclient'
autoprogram_cliff_application = 'openstack'
autoprogram_cliff_ignored = [
    '--help', '--format', '--column', '--quote', '--noindent', '--prefix',
    '--max-width', '--fit-width', '--print-empty', '--sort-column',
    '--sort-ascending', '--sort-descending']

# Options keep their two hyphens, in a text for a terminal too.
smartquotes_action = 'qe'

# Ours: tables from the code, and what the commands say of themselves.
sys.path.insert(0, str(here / '_exts'))
extensions += ['command_help', 'diagrams', 'state_tables']

# A quoted JSON text may go on in the next line of a console; a prompt there
# would be copied with it.
suppress_warnings = ['misc.highlighting_failure']
