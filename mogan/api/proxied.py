# SPDX-License-Identifier: Apache-2.0
"""Behind a proxy: its word for where a request comes from, and where to.

oslo.middleware's own, whose option this is, believes whatever it reads, and
most of all what no proxy is asked to set: `Forwarded` and
`X-Forwarded-Prefix` are the client's.
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from oslo_middleware import http_proxy_to_wsgi

Application = Callable[..., Iterable[bytes]]

_HOST: Final = re.compile(
    r'([a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?',
    re.ASCII | re.IGNORECASE)


class Proxied:
    """Believes what is well-formed; what is not leaves things as they
    were."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Iterable[bytes]:
        scheme = _last(environ, 'HTTP_X_FORWARDED_PROTO').lower()
        if scheme in {'http', 'https'}:
            environ['wsgi.url_scheme'] = scheme
        host = _last(environ, 'HTTP_X_FORWARDED_HOST')
        if _HOST.fullmatch(host):
            environ['HTTP_HOST'] = host
        address = _address(_last(environ, 'HTTP_X_FORWARDED_FOR'))
        if address:
            environ['REMOTE_ADDR'] = address
        return self._application(environ, start_response)


def _last(environ: dict[str, Any], name: str) -> str:
    """A header's last value: some proxies put theirs behind the client's."""
    value: str = environ.get(name, '')
    return value.rpartition(',')[2].strip()


@functools.lru_cache(maxsize=1024)
def _address(text: str) -> str | None:
    try:
        # The name of an interface may have any character.
        return None if '%' in text else str(ipaddress.ip_address(text))
    except ValueError:
        return None


def configured(conf: Any) -> bool:
    """Whether a proxy is believed."""
    conf.register_opts(http_proxy_to_wsgi.OPTS, 'oslo_middleware')
    return bool(conf.oslo_middleware.enable_proxy_headers_parsing)


def wrap(application: Application, conf: Any) -> Application:
    """The application behind a proxy, if so configured."""
    return Proxied(application) if configured(conf) else application
