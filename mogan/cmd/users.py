# SPDX-License-Identifier: Apache-2.0
"""Add, change and remove the users of auth_strategy = http_basic."""

import argparse
import getpass
import json
import os
import pathlib
import secrets
import stat
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import prettytable
from oslo_config import cfg

from mogan.api.identity import accounts, users
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
    """Faults of the command line are one line, too."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f'{_PROGRAM}: {message}; see {self.prog} --help\n')


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; returns the exit status."""
    # Defaults of the parsers would undo what stood before the words.
    arguments = _parser().parse_args(argv, argparse.Namespace(
        users_file=None, config_file=[], config_dir=[]))
    try:
        status = arguments.run(accounts.Accounts(_path(arguments)), arguments)
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


def _path(arguments: argparse.Namespace) -> str:
    """Where the users are: as told, or as the configuration says."""
    if arguments.users_file is not None:
        return arguments.users_file
    conf = cfg.ConfigOpts()
    auth.register_opts(conf)
    options = [word for name, values in (
        ('--config-file', arguments.config_file),
        ('--config-dir', arguments.config_dir))
        for value in values for word in (name, value)]
    conf(options, project='mogan', prog=_PROGRAM)
    return conf.http_basic_users_file


def _parser() -> argparse.ArgumentParser:
    # On every level, so that they may stand before the words or behind.
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument('--users-file', metavar='PATH',
                        help='the file (default: [DEFAULT] '
                             'http_basic_users_file of the configuration)')
    for what in ('file', 'dir'):
        common.add_argument(
            f'--config-{what}', metavar='PATH', action='append',
            help='in place of the usual places of mogan.conf; may be given '
                 'several times')
    parser = _Parser(
        prog=_PROGRAM, description=__doc__, epilog=_EXAMPLES,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter)
    words = parser.add_subparsers(required=True, metavar='COMMAND',
                                  parser_class=_Parser)

    def add(name: str, run: Callable[..., int | None], text: str,
            *names: str) -> _Parser:
        word = words.add_parser(name, parents=[common], help=text,
                                description=f'{text[0].upper()}{text[1:]}.')
        word.set_defaults(run=run)
        for one in names:
            word.add_argument(one.lower(), metavar=one)
        return word

    word = add('add', _add, 'add a user', 'NAME')
    _add_rights(word, required=True)
    _add_password(word)
    add('remove', _remove, 'remove a user', 'NAME')
    _add_password(add('passwd', _passwd, "change a user's password", 'NAME'))
    _add_rights(add('set', _set, "change a user's project or roles", 'NAME'),
                required=False)
    add('list', _list, 'list the users, without their passwords'
        ).add_argument('--json', action='store_true',
                       help='write JSON instead of a table')
    add('check', _check, 'say what is wrong with the file, line by line')
    return parser


def _add_rights(word: _Parser, *, required: bool) -> None:
    word.add_argument('--project', metavar='ID', required=required,
                      help="the project of the user's instances")
    word.add_argument('--role', metavar='ROLE', action='append', help=(
        'such as reader, member, manager or admin; may be given several '
        'times') + (' (default: member)' if required else
                    '; these take the place of all others'))


def _add_password(word: _Parser) -> None:
    source = word.add_mutually_exclusive_group()
    source.add_argument(
        '--password-stdin', action='store_true',
        help='read the password from the first line of standard input, as '
             'is done anyway where that is no terminal')
    source.add_argument('--generate', action='store_true',
                        help='make up a password and print it, this once')


def _add(known: accounts.Accounts, arguments: argparse.Namespace) -> None:
    roles = arguments.role or ['member']
    accounts.check_words('name', arguments.name)
    accounts.check_words('project id', arguments.project)
    accounts.check_words('role', *roles)
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
        raise ValueError('nothing to set: say --project or --role')
    if arguments.project is not None:
        accounts.check_words('project id', arguments.project)
    if roles is not None:
        accounts.check_words('role', *roles)
        roles = list(dict.fromkeys(roles))
    known.change(arguments.name, project_id=arguments.project, roles=roles)


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
    found = list(users.look_through(users.load(known.path), known.path))
    faults: list[object] = [
        one for one in found if isinstance(one, users.UsersFileError)]
    mode = stat.S_IMODE(pathlib.Path(known.path).stat().st_mode)
    if mode & 0o007:
        faults.append(f'{known.path} has the mode {mode:04o}: others may '
                      f'read or write it')
    for fault in faults:
        _complain(fault)
    if not faults:
        print(f'{known.path}: {len(found)} users, all well.')
    return 1 if faults else 0


def _password(arguments: argparse.Namespace) -> str:
    """A new password, typed twice where there is a terminal."""
    if arguments.generate:
        return secrets.token_urlsafe(18)
    if arguments.password_stdin or not sys.stdin.isatty():
        line = sys.stdin.buffer.readline(_MOST)
        return line.decode('utf-8', 'surrogateescape').rstrip('\r\n')
    password = getpass.getpass('New password: ')
    if getpass.getpass('The same again: ') != password:
        raise ValueError('the two passwords differ')
    return password


def _show_generated(arguments: argparse.Namespace, password: str) -> None:
    if arguments.generate:
        print(password)


if __name__ == '__main__':
    sys.exit(main())
