# SPDX-License-Identifier: Apache-2.0
"""Stories that are told in requests and answers alone: gabbits/."""

import pathlib
from typing import Any

from gabbi import driver

from mogan.tests.functional import gabbi_fixtures


def load_tests(loader: Any, tests: Any,  # noqa: ARG001 - unittest's
               pattern: Any) -> Any:  # noqa: ARG001
    """Return one suite for each file."""
    return driver.build_tests(
        str(pathlib.Path(__file__).with_name('gabbits')), loader,
        intercept=gabbi_fixtures.application,
        fixture_module=gabbi_fixtures, safe_yaml=True)
