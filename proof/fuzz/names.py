# SPDX-License-Identifier: Apache-2.0
"""Names of the environment variables that the processes of a run share."""

from typing import Final

# The file that the requests are recorded in.
RECORDS: Final = 'MOGAN_FUZZ_RECORDS'
# The defect that the service is to have.
DEFECT: Final = 'MOGAN_FUZZ_DEFECT'
