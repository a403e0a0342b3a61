# SPDX-License-Identifier: Apache-2.0
"""Hardware, behind one interface."""

from typing import Any

import stevedore.driver

from mogan.baremetal.driver import Driver

NAMESPACE = 'mogan.baremetal'


def load(conf: Any) -> Driver:
    """The driver that [engine] driver names, made as its own options say.

    Raises stevedore's NoMatches, ValueError.
    """
    manager: Any = stevedore.driver.DriverManager(
        NAMESPACE, conf.engine.driver)
    return manager.driver.from_conf(conf)
