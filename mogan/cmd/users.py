# SPDX-License-Identifier: Apache-2.0
"""Add, change and remove the users of auth_strategy = http_basic."""

import argparse
import getpass
import json
import logging
import os
import pathlib
import secrets
import stat
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import prettytable
from oslo_config import cfg
from oslo_policy import opts

from mogan import policy, policy_files, version
from mogan.api.middleware.auth import accounts, users
from mogan.conf import auth

_PROGRAM = 'mogan-users'
_EXAMPLES = """\
examples:
  mogan-users add alice --project web --role member
  mogan-users passwd alice
  mogan-users set alice --role manager --role auditor
  mogan-users add robot --project web --generate
  mogan-users list --json
"""
# Bytes that are read of a password: more than it may have.
_MOST = 1024


class _Parser(argparse.ArgumentParser):
    """A parser that reports errors of the command line in one line, too."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f'{_PROGRAM}: {message}; see {self.prog} --help\n')


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return the exit status."""
    # Defaults of the parsers would undo options before the subcommand.
    arguments = _parser().parse_args(argv, argparse.Namespace(
        users_file=None, config_file=[], config_dir=[]))
    try:
        conf, path = _find(arguments)
        status = arguments.run(
            accounts.Accounts(path, _roles(conf)), arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # What reads our output has seen enough (head, less).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (KeyboardInterrupt, EOFError):
        return _complain('nothing was changed')
    except (ValueError, OSError, cfg.Error) as error:
        return _complain(error)
    else:
        return status or 0
    return 0


def _complain(error: object) -> int:
    print(f'{_PROGRAM}: {" ".join(str(error).split())}', file=sys.stderr)
    return 1


def _find(arguments: argparse.Namespace) -> tuple[cfg.ConfigOpts, str]:
    """Return the configuration, and the users file that is given or
    configured.

    Where a file is given, mogan.conf and policy.yaml in its directory come
    first, as in the state directory of a standalone service.
    """
    conf = cfg.ConfigOpts()
    auth.register_opts(conf)
    opts.set_defaults(conf)
    options = [word for name, values in (
        ('--config-file', arguments.config_file),
        ('--config-dir', arguments.config_dir))
        for value in values for word in (name, value)]
    beside = None
    if arguments.users_file is not None:
        directory = pathlib.Path(arguments.users_file).resolve().parent
        if not options and (directory / 'mogan.conf').exists():
            beside = [str(directory / 'mogan.conf')]
        if (directory / 'policy.yaml').exists():
            opts.set_defaults(conf, str(directory / 'policy.yaml'))
    conf(options, project='mogan', prog=_PROGRAM,
         default_config_files=beside)
    return conf, (conf.http_basic_users_file if arguments.users_file is None
                  else arguments.users_file)


def _roles(conf: cfg.ConfigOpts) -> frozenset[str] | None:
    """Return the roles that the policy rules refer to, or None where the
    policy files cannot be read."""
    # The library logs what it cannot understand.
    logging.getLogger('oslo_policy').setLevel(logging.CRITICAL)
    try:
        return policy.roles(policy.load(conf))
    except policy_files.PolicyFileError as error:
        _complain(f'roles are not validated: {error}')
        return None


def _parser() -> argparse.ArgumentParser:
    # On every level, so that they may precede or follow the subcommand.
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument('--users-file', metavar='PATH',
                        help='users file (default: [DEFAULT] '
                             'http_basic_users_file of the configuration)')
    for what in ('file', 'dir'):
        common.add_argument(
            f'--config-{what}', metavar='PATH', action='append',
            help='configuration instead of the default locations (repeat '
                 'for several)')
    parser = _Parser(
        prog=_PROGRAM, description=__doc__, epilog=_EXAMPLES,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--version', action='version',
                        version=version.version_string())
    commands = parser.add_subparsers(required=True, metavar='COMMAND',
                                     parser_class=_Parser)

    def add(name: str, run: Callable[..., int | None], text: str,
            *names: str) -> _Parser:
        command = commands.add_parser(
            name, parents=[common], help=text,
            description=f'{text[0].upper()}{text[1:]}.')
        command.set_defaults(run=run)
        for one in names:
            command.add_argument(one.lower(), metavar=one)
        return command

    command = add('add', _add, 'add a user', 'NAME')
    _add_rights(command, required=True)
    _add_password(command)
    add('remove', _remove, 'remove a user', 'NAME')
    _add_password(add('passwd', _passwd, "change a user's password", 'NAME'))
    _add_rights(add('set', _set, "change a user's project or roles", 'NAME'),
                required=False)
    add('list', _list, 'list the users, without their passwords'
        ).add_argument('--json', action='store_true',
                       help='write JSON instead of a table')
    add('check', _check, 'validate the file, line by line')
    return parser


def _add_rights(command: _Parser, *, required: bool) -> None:
    command.add_argument('--project', metavar='ID', required=required,
                         help="project of the user's instances")
    command.add_argument('--role', metavar='ROLE', action='append', help=(
        'role, such as reader, member, manager or admin (repeat for '
        'several') + ('; default: member)' if required else
                      '; replaces all current roles)'))
    command.add_argument('--any-role', action='store_true',
                         help='accept roles that no policy rule refers to')


def _add_password(command: _Parser) -> None:
    source = command.add_mutually_exclusive_group()
    source.add_argument(
        '--password-stdin', action='store_true',
        help='read the password from the first line of standard input (the '
             'default where that is not a terminal)')
    source.add_argument('--generate', action='store_true',
                        help='generate a password and print it once')


def _add(known: accounts.Accounts, arguments: argparse.Namespace) -> None:
    roles = arguments.role or ['member']
    accounts.check_values('name', arguments.name)
    accounts.check_values('project id', arguments.project)
    _check_roles(known, arguments, roles)
    # Before anybody types a password.
    known.check(arguments.name, there=False)
    password = _password(arguments)
    known.add(arguments.name, accounts.digest_of(password),
              arguments.project, list(dict.fromkeys(roles)))
    _show_generated(arguments, password)


def _remove(known: accounts.Accounts, arguments: argparse.Namespace) -> None:
    known.remove(arguments.name)


def _passwd(known: accounts.Accounts, arguments: argparse.Namespace) -> None:
    known.check(arguments.name, there=True)
    password = _password(arguments)
    known.change(arguments.name, digest=accounts.digest_of(password))
    _show_generated(arguments, password)


def _set(known: accounts.Accounts, arguments: argparse.Namespace) -> None:
    roles = arguments.role
    if (arguments.project, roles) == (None, None):
        raise ValueError('nothing to set: use --project or --role')
    if arguments.project is not None:
        accounts.check_values('project id', arguments.project)
    if roles is not None:
        _check_roles(known, arguments, roles)
        roles = list(dict.fromkeys(roles))
    known.change(arguments.name, project_id=arguments.project, roles=roles)


def _check_roles(known: accounts.Accounts, arguments: argparse.Namespace,
                 roles: Sequence[str]) -> None:
    accounts.check_values('role', *roles)
    if not arguments.any_role:
        accounts.check_known(roles, known.known)


def _list(known: accounts.Accounts, arguments: argparse.Namespace) -> None:
    rows: list[dict[str, Any]] = [
        {'name': user.name, 'project_id': user.project_id,
         'roles': list(user.roles)}
        for user in users.read(known.path).values()]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    table = prettytable.PrettyTable(['Name', 'Project', 'Roles'], align='l')
    table.add_rows([[row['name'], row['project_id'],
                     ', '.join(row['roles'])] for row in rows])
    print(table)


def _check(known: accounts.Accounts, _: argparse.Namespace) -> int:
    found = list(users.look_through(users.load(known.path), known.path,
                                    known.known))
    faults: list[object] = [
        one for one in found if isinstance(one, users.UsersFileError)]
    mode = stat.S_IMODE(pathlib.Path(known.path).stat().st_mode)
    if mode & 0o007:
        faults.append(f'{known.path} has the mode {mode:04o}: others may '
                      f'read or write it')
    unknown = users.unknown_roles(
        (one for one in found if isinstance(one, users.User)), known.known)
    if unknown:
        faults.append(f'{known.path}: no policy rule refers to these roles: '
                      f'{unknown}')
    for fault in faults:
        _complain(fault)
    if not faults:
        print(f'{known.path}: {len(found)} users, no errors.')
    return 1 if faults else 0


def _password(arguments: argparse.Namespace) -> str:
    """Return a new password, prompted for twice on a terminal."""
    if arguments.generate:
        return secrets.token_urlsafe(18)
    if arguments.password_stdin or not sys.stdin.isatty():
        line = sys.stdin.buffer.readline(_MOST)
        return line.decode('utf-8', 'surrogateescape').rstrip('\r\n')
    password = getpass.getpass('New password: ')
    if getpass.getpass('Repeat the password: ') != password:
        raise ValueError('the passwords do not match')
    return password


def _show_generated(arguments: argparse.Namespace, password: str) -> None:
    if arguments.generate:
        print(password)


if __name__ == '__main__':
    sys.exit(main())
