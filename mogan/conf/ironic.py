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
                 help="Seconds that an engine's claim of an instance lasts "
                      'unless it is renewed: after that another engine '
                      'takes over from one that has died. At least three '
                      'times the reach.'),
    cfg.FloatOpt('reach', default=120.0, min=0,
                 help='Seconds that a call needs at most from its check to '
                      'its effect. At least idle_timeout and timeout '
                      'together.'),
    cfg.FloatOpt('skew', default=5.0, min=0,
                 help="Seconds that the database's clock may gain on the "
                      "engine's over one lease."),
    cfg.IntOpt('timeout', default=30, min=1,
               help='Seconds that one request, or one call with all its '
                    'requests, may take.'),
    cfg.FloatOpt('idle_timeout', default=75.0, min=0,
                 help='Seconds after which whatever answers in front of '
                      'Ironic closes a connection that nothing is sent on: '
                      "a proxy's keep-alive time-out, or its time-out for "
                      'the rest of a request where that is longer, or 10 '
                      "for Ironic's own server. An engine that was paused "
                      'for longer cannot make the call any more that it was '
                      'about to make. Where this is set lower than it is, a '
                      'lock may be passed by such a call.'),
    cfg.StrOpt('image_source', default='{image_uuid}',
               help='Where Ironic gets an image from; {image_uuid} stands '
                    "for the instance's. The default means an image in "
                    'Glance, http://images.example.org/{image_uuid}.qcow2 '
                    'one on a web server.'),
    cfg.StrOpt('image_checksum',
               help='Where Ironic finds the checksum of an image on a web '
                    'server, without which many deploy interfaces refuse '
                    'it: the address of a file that lists checksums and '
                    'file names; {image_uuid} stands for the image.'),
    cfg.StrOpt('image_type', choices=['whole-disk', 'partition'],
               help='What the images are, where Ironic cannot ask Glance.'),
    cfg.BoolOpt('maintenance_on_lock', default=False,
                help='Whether the node of a locked instance is put into '
                     'maintenance as well. An unlock ends the maintenance '
                     'that a lock began, and no other.'),
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


def register_opts(conf: Any) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS + _auth_opts() + _session_opts()
                       + _adapter_opts(), group=GROUP)


def list_opts() -> list[tuple[Any, list[Any]]]:
    plugins = {option.dest: option for name in _AUTH_TYPES
               for option in loading.get_auth_plugin_conf_options(name)}
    return [(GROUP, OPTS + _auth_opts() + list(plugins.values())
             + _session_opts() + _adapter_opts())]
