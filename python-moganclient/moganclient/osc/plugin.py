# SPDX-License-Identifier: Apache-2.0
"""The plugin interface for openstackclient.

It is imported at each start of `openstack`, whatever the command: nothing
but this module is.
"""

from osc_lib import utils

API_NAME = 'baremetal_compute'
API_VERSION_OPTION = 'os_baremetal_compute_api_version'
API_VERSIONS = ('1',)
DEFAULT_API_VERSION = '1'


def make_client(instance):
    """Return the proxy of the service, of this command's connection."""
    from moganclient import sdk  # noqa: PLC0415
    client = sdk.add_to(instance.sdk_connection).baremetal_compute
    if client.connect_retries is None:
        # Who sits in front of it is told at once; each further try would be
        # a warning as well.
        client.connect_retries = 0
    return client


def build_option_parser(parser):
    """Add the global options."""
    parser.add_argument(
        '--os-baremetal-compute-api-version',
        metavar='<baremetal-compute-api-version>',
        default=utils.env('OS_BAREMETAL_COMPUTE_API_VERSION',
                          default=DEFAULT_API_VERSION),
        help='Version of the bare-metal compute API, 1 by default '
             '(Env: OS_BAREMETAL_COMPUTE_API_VERSION)')
    return parser
