# SPDX-License-Identifier: Apache-2.0
"""What the guides, the API reference and the release notes look like.

Each of the three conf.py files takes all names of this module.
"""

import logging
import shutil

author = 'Mogan developers'
copyright = author
project = 'Mogan'

html_theme = 'openstackdocs'
html_theme_options = {
    # Readers are not counted.
    'analytics_tracking_code': '',
    'display_badge': False,
    'root_title': project,
    'sidebar_dropdown': None,
    'sidebar_mode': 'toc',
}
openstackdocs_auto_name = False
pygments_style = 'native'


def setup(_app):
    """Build without warnings where there is no git.

    The theme warns when it cannot find out the commit it is built from, and
    a warning ends the build.
    """
    if not shutil.which('git'):
        logging.getLogger('sphinx.openstackdocstheme.ext').addFilter(
            lambda record: 'gitsha' not in record.getMessage())
