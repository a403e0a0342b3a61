# SPDX-License-Identifier: Apache-2.0
"""Validation of the policy files, more strictly than oslo.policy does.

oslo.policy takes a rule whose value is null or otherwise empty as one that
allows everybody, and of a duplicate name the last value counts.
"""

import os
import pathlib
from collections.abc import Iterator
from typing import Final

import yaml
from oslo_config import cfg

_TAG: Final = 'tag:yaml.org,2002:'
_TEXT: Final = f'{_TAG}str'
_KINDS: Final = {
    f'{_TAG}null': 'null', f'{_TAG}bool': 'a boolean',
    f'{_TAG}int': 'a number', f'{_TAG}float': 'a number',
    f'{_TAG}seq': 'a list', f'{_TAG}map': 'a mapping',
    f'{_TAG}timestamp': 'a date', f'{_TAG}binary': 'binary data'}
# Where an option has been set by whoever runs the service.
_CHOSEN: Final = frozenset({
    cfg.Locations.user, cfg.Locations.command_line,
    cfg.Locations.environment})


class PolicyFileError(ValueError):
    """A policy file is not valid."""


def check(conf: cfg.ConfigOpts) -> None:
    """Raise PolicyFileError, naming the file and the rule, unless the policy
    files hold nothing but unique rules as strings."""
    if not conf.oslo_policy.policy_file:
        raise PolicyFileError('[oslo_policy] policy_file is empty: name a '
                              'file, or remove the option')
    faults = [f'{path}: {fault}' for path in paths(conf)
              for fault in _faults(path)]
    if faults:
        raise PolicyFileError('; '.join(faults))


def paths(conf: cfg.ConfigOpts) -> Iterator[str]:
    """Yield the existing policy files in their order of precedence."""
    options = conf.oslo_policy
    file = conf.find_file(options.policy_file)
    if file is not None:
        yield file
    for name in options.policy_dirs:
        directory = conf.find_file(name) if name else None
        if directory is None:
            continue
        if not pathlib.Path(directory).is_dir():
            raise PolicyFileError(f'{directory} is not a directory')
        for entry in sorted(os.scandir(directory), key=lambda one: one.name):
            if not (entry.name.startswith('.') or entry.is_dir()):
                yield entry.path


def missing(conf: cfg.ConfigOpts) -> str | None:
    """Return the configured policy file if it does not exist.

    None for the default file: without it the default rules are in force.
    """
    name = conf.oslo_policy.policy_file
    location = conf.get_location('policy_file', 'oslo_policy')
    chosen = location is not None and location.location in _CHOSEN
    return name if chosen and conf.find_file(name) is None else None


def _faults(path: str) -> Iterator[str]:
    """Yield the faults of a file."""
    try:
        root = yaml.compose(pathlib.Path(path).read_bytes(),
                            Loader=yaml.SafeLoader)
    except OSError as error:
        yield f'cannot be read: {error.strerror}'
        return
    except (yaml.YAMLError, ValueError) as error:
        yield f'cannot be read as YAML: {error}'
        return
    except RecursionError:
        yield 'is nested too deeply'
        return
    if root is None or (isinstance(root, yaml.ScalarNode)
                        and not root.value and not root.style):
        return
    if not isinstance(root, yaml.MappingNode):
        yield f'must map names to rules, not be {_kind(root)}'
        return
    seen = set()
    for key, value in root.value:
        line = f'line {key.start_mark.line + 1}'
        if not _is_text(key):
            yield (f'{line}: the name of a rule must be a string, not '
                   f'{_kind(key)}')
            continue
        if key.value in seen:
            yield f'{line}: duplicate rule {key.value}'
        seen.add(key.value)
        if not _is_text(value):
            yield (f'{line}: {key.value} must be a rule as a string, not '
                   f'{_kind(value)}')


def _is_text(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _TEXT


def _kind(node: yaml.Node) -> str:
    if node.tag == _TEXT:
        return 'a string'
    return _KINDS.get(node.tag, f'a value of the type {node.tag}')
