# SPDX-License-Identifier: Apache-2.0
"""Roles by tokens: the table and rules of the functional suite."""

from mogan.tests.functional import test_roles
from mogan.tests.keystone import base


class TestRoles(base.KeystoneTest, test_roles.TestRoles):

    def deploy(self):
        return self.checked(super().deploy())


class TestOwnersThatMayLock(base.KeystoneTest,
                            test_roles.TestOwnersThatMayLock):
    pass


class TestSupportThatSeesAll(base.KeystoneTest,
                             test_roles.TestSupportThatSeesAll):
    pass
