# SPDX-License-Identifier: Apache-2.0
"""Files of tests."""

import pathlib

import fixtures
import testtools


def temporary_directory(test: testtools.TestCase) -> pathlib.Path:
    """Return a new directory that is removed after the test."""
    return pathlib.Path(test.useFixture(fixtures.TempDir()).path)
