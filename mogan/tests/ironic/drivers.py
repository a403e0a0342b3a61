# SPDX-License-Identifier: Apache-2.0
"""Drivers on an Ironic under test, made as a configuration file makes
them."""

import tempfile
from typing import Any

from oslo_config import cfg

from mogan.baremetal.ironic.driver import IronicDriver
from mogan.conf import ironic as options

# Nobody pauses a process here, unless a test says so: a short lease keeps
# what comes after an unknown outcome short.
_VALUES = {'auth_type': 'none', 'idle_timeout': 1.0, 'timeout': 20,
           'image_type': 'whole-disk',
           'reach': 21.0, 'lease': 63.0, 'skew': 0.5}


def make_driver(url: str, **values: Any) -> IronicDriver:
    """Return a driver for the Ironic at `url`; `values`: of its options."""
    conf = cfg.ConfigOpts()
    # A group of its own: what one way to log in requires, the next driver
    # may do without.
    conf.register_group(cfg.OptGroup('ironic'))
    options.register_opts(conf)
    # The options of a way to log in are known only once it is chosen.
    with tempfile.NamedTemporaryFile('w', suffix='.conf') as file:
        file.write('[ironic]\n' + ''.join(
            f'{name} = {value}\n' for name, value in (
                {'endpoint_override': url} | _VALUES | values).items()))
        file.flush()
        conf(['--config-file', file.name])
        return IronicDriver.from_conf(conf)
