# SPDX-License-Identifier: Apache-2.0
"""The Python API with the names of 0.1.0: `moganclient.v1.client.Client`."""
