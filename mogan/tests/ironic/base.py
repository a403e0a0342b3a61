# SPDX-License-Identifier: Apache-2.0
"""The whole service on a real Ironic."""

from typing import Any, ClassVar

from mogan.engine.service import EngineService
from mogan.engine.task import Limits
from mogan.tests.functional import base
from mogan.tests.ironic import server
from mogan.tests.ironic.drivers import make_driver
from mogan.tests.support import backends, deployment


class IronicDeployment(deployment.Deployment):
    """Its nodes are Ironic's; `options` are the driver's."""

    def __init__(self, ironic: server.Ironic, *, nodes: int,
                 rules: dict[str, str], options: dict[str, Any]) -> None:
        super().__init__(rules=rules, nodes=0)
        self.hardware.close()
        self._ironic = ironic
        self._options = options
        for number in range(nodes):
            # The fake hardware's deploys leave the power alone.
            ironic.enrol(f'node-{number}', deployment.SMALL,
                         power='power on')
        self.hardware = make_driver(ironic.url, **options)

    def start_engine(self, *, limits: Limits | None = None,
                     **options: Any) -> EngineService:
        engine = EngineService(
            self.db, make_driver(self._ironic.url,
                                 **self._options | options),
            self.transport, self.topic,
            host=backends.HOSTS[len(self.engines)],
            limits=limits or Limits(), pace=deployment.PACE,
            stop_timeout=30)
        engine.start()
        self.engines.append(engine)
        return engine


class IronicTest(base.FunctionalTest):
    """`nodes` are enrolled; `options` are the driver's; a test with
    delays, in seconds, or that stops Ironic, has one of its own."""

    nodes = 1
    options: ClassVar[dict[str, Any]] = {}
    own = False
    deadline = 60.0
    delay = 0
    power_delay = 0

    def deploy(self) -> IronicDeployment:
        if self.own:
            self.ironic = server.Ironic()
            self.addCleanup(self.ironic.close)
            self.ironic.start(delay=self.delay,
                              power_delay=self.power_delay)
        else:
            self.ironic = server.shared()
            self.addCleanup(server.shared.restore)
        return IronicDeployment(self.ironic, nodes=self.nodes,
                                rules=self.rules, options=self.options)

    def raw(self, uuid: str) -> dict[str, Any]:
        """Return the instance's node as Ironic shows it."""
        return self.ironic.node(self.see(uuid)['node_uuid'])

    def wait_for_node(self, uuid: str, **wanted: Any) -> dict[str, Any]:
        return self.ironic.wait_for(self.see(uuid)['node_uuid'], **wanted)
