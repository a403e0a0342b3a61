# SPDX-License-Identifier: Apache-2.0
"""[ironic]: hardware that Ironic manages."""

from typing import Any

from keystoneauth1 import loading
from oslo_config import cfg

GROUP = cfg.OptGroup('ironic', title='Hardware that Ironic manages')

_AUTH_TYPES = ('none', 'http_basic', 'password')
_SESSION = frozenset({'cafile', 'certfile', 'keyfile', 'insecure'})
_ADAPTER = frozenset({'service_type', 'service_name', 'valid_interfaces',
                      'region_name', 'endpoint_override'})

OPTS = [
    cfg.FloatOpt('lease', default=360.0, min=0.1,
                 help="Lease time in seconds of an engine's claim on an "
                      'instance: unless it is renewed, another engine takes '
                      'over after that. At least three times the reach.'),
    cfg.FloatOpt('reach', default=120.0, min=0,
                 help='Maximum time in seconds from the check of a call to '
                      'its effect. At least the sum of idle_timeout and '
                      'timeout.'),
    cfg.FloatOpt('skew', default=5.0, min=0,
                 help="Seconds that the database's clock may gain on the "
                      "engine's over one lease."),
    cfg.IntOpt('timeout', default=30, min=1,
               help='Timeout in seconds of one request, and of one call with '
                    'all its requests.'),
    cfg.FloatOpt('idle_timeout', default=75.0, min=0,
                 help='Seconds after which the server in front of Ironic '
                      'closes an idle connection: the keep-alive timeout of '
                      'the proxy, or its read timeout for the rest of a '
                      "request where that is longer, or 10 for Ironic's own "
                      'server. An engine that was paused for longer can no '
                      'longer send the call that it was about to send. If '
                      'this is lower than the real value, such a call may '
                      'bypass a lock.'),
    cfg.StrOpt('image_source', default='{image_uuid}',
               help='Source of the image for Ironic, in which {image_uuid} '
                    'is replaced. The default refers to an image in Glance, '
                    'http://images.example.org/{image_uuid}.qcow2 to one on '
                    'a web server.'),
    cfg.StrOpt('image_checksum',
               help='Checksum of an image on a web server, which many deploy '
                    'interfaces require: the URL of a file with checksums '
                    'and file names, in which {image_uuid} is replaced.'),
    cfg.StrOpt('image_type', choices=['whole-disk', 'partition'],
               help='Type of the images, where Ironic cannot get it from '
                    'Glance.'),
    cfg.IntOpt('soft_power_timeout', default=120, min=1,
               help='Timeout in seconds of a soft power off or soft reboot, '
                    'in which the operating system has to react; after that '
                    'the power change has failed. Until then Ironic keeps '
                    'the node reserved, so that a power off, a reboot or a '
                    'delete that is requested meanwhile waits for it. It '
                    'must be lower than [engine] power_timeout.'),
    cfg.BoolOpt('maintenance_on_lock', default=False,
                help='Put the node of a locked instance into maintenance as '
                     'well. An unlock ends only the maintenance that a lock '
                     'began.'),
]


def _auth_opts() -> list[Any]:
    return loading.get_auth_common_conf_options()


def _session_opts() -> list[Any]:
    return [option for option in loading.get_session_conf_options()
            if option.dest in _SESSION]


def _adapter_opts() -> list[Any]:
    options = [option for option in loading.get_adapter_conf_options(
        include_deprecated=False) if option.dest in _ADAPTER]
    cfg.set_defaults(options, service_type='baremetal',
                     valid_interfaces=['internal', 'public'])
    return options


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS + _auth_opts() + _session_opts()
                       + _adapter_opts(), group=GROUP)


def list_opts() -> list[tuple[Any, list[Any]]]:
    plugins = {option.dest: option for name in _AUTH_TYPES
               for option in loading.get_auth_plugin_conf_options(name)}
    return [(GROUP, OPTS + _auth_opts() + list(plugins.values())
             + _session_opts() + _adapter_opts())]
