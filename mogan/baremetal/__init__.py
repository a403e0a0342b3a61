# SPDX-License-Identifier: Apache-2.0
"""Bare-metal drivers, behind one interface."""

from typing import Any

import stevedore.driver
from oslo_config import cfg

from mogan.baremetal.driver import Driver

NAMESPACE = 'mogan.baremetal'


def load(conf: cfg.ConfigOpts) -> Driver:
    """Load the driver that [engine] driver names, made from its options.

    Raises stevedore's NoMatches, ValueError.
    """
    manager: Any = stevedore.driver.DriverManager(
        NAMESPACE, conf.engine.driver)
    return manager.driver.from_conf(conf)
