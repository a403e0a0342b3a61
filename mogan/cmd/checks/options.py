# SPDX-License-Identifier: Apache-2.0
"""Checks of the configuration files."""

import difflib
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from keystoneauth1 import exceptions, loading
from oslo_config import cfg, generator, validator
from oslo_upgradecheck import upgradecheck

from mogan.conf import CONF

Code = upgradecheck.Code
Result = upgradecheck.Result

# Those of the sample, see etc/mogan/mogan-config-generator.conf.
NAMESPACES: Final = (
    'mogan', 'keystonemiddleware.audit', 'keystonemiddleware.auth_token',
    'oslo.db', 'oslo.log', 'oslo.messaging', 'oslo.middleware.cors',
    'oslo.middleware.healthcheck', 'oslo.middleware.http_proxy_to_wsgi',
    'oslo.policy', 'oslo.service.service')


def _options(conf: cfg.ConfigOpts) -> Result:
    """Find unknown options: they have no effect, so the default is in
    force."""
    known = generator._generate_machine_readable_data(  # noqa: SLF001
        generator._get_groups(  # noqa: SLF001 - as oslo-config-validator does
            generator._list_opts(list(NAMESPACES))), conf)  # noqa: SLF001
    faults = [fault for file in _files(conf) for fault in _look_through(
        file, known)]
    if not faults:
        return Result(Code.SUCCESS)
    return Result(Code.WARNING, 'Options without effect: '
                                f'{"; ".join(faults)}.')


def _files(conf: cfg.ConfigOpts) -> Iterator[str]:
    yield from conf.config_file
    for directory in conf.config_dir:
        yield from sorted(map(str, pathlib.Path(directory).glob('*.conf')))


def _look_through(file: str, known: dict[str, Any]) -> Iterator[str]:
    sections: dict[str, dict[str, list[str]]] = {}
    cfg.ConfigParser(file, sections).parse()
    for group, values in sections.items():
        place = f'{file}: [{group}]'
        options = known['options'].get(group, {'opts': []})['opts']
        if not options and group not in known['deprecated_options']:
            yield _fault(place, 'an option group', group, known['options'])
            continue
        names = [option['dest'] for option in options]
        names += _plugin_options(values)
        for name in values:
            if validator._validate_deprecated_opt(  # noqa: SLF001
                    group, name, known):
                yield f'{place} {name} is deprecated'
            elif name not in names and not (
                    validator._validate_opt(group, name, known)):  # noqa: SLF001
                yield _fault(f'{place} {name}', 'an option', name, names)


def _plugin_options(values: dict[str, list[str]]) -> list[str]:
    """Return the options that the plugin of keystoneauth adds to a group."""
    try:
        return [option.dest for name in values.get('auth_type', [])
                for option in loading.get_auth_plugin_conf_options(name)]
    except exceptions.NoMatchingPlugin:
        return []


def _fault(place: str, what: str, name: str, names: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, names, 1)
    hint = f' (did you mean {found[0]}?)' if found else ''
    return f'{place} is not {what}{hint}'


CHECKS: Final = (
    ('Options', lambda _: _options(CONF)),
)
