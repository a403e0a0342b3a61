# SPDX-License-Identifier: Apache-2.0
"""mogan-status: whether this release can run on what it finds."""

import datetime
import sys
import time
from collections.abc import Callable

import sqlalchemy as sa
from oslo_upgradecheck import common_checks, upgradecheck

from mogan import baremetal, exception
from mogan.cmd import launch
from mogan.conf import CONF
from mogan.db import clock, migrations
from mogan.db.engine import Database, transaction

# Seconds; a well kept clock is far closer.
_GAP = 2.0

Code = upgradecheck.Code
Result = upgradecheck.Result

# What each database has to be set to for an answered request to survive a
# power loss: the statement that tells, the values that are good, and the
# name of the setting.
_DURABLE: dict[str, tuple[tuple[str, frozenset[str], str], ...]] = {
    'sqlite': (
        ('PRAGMA synchronous', frozenset({'2', '3'}), 'synchronous=FULL'),
    ),
    'mysql': (
        ('SELECT @@GLOBAL.innodb_flush_log_at_trx_commit',
         frozenset({'1'}), 'innodb_flush_log_at_trx_commit=1'),
    ),
    'postgresql': (
        ('SHOW synchronous_commit',
         frozenset({'on', 'remote_write', 'remote_apply'}),
         'synchronous_commit=on'),
        ('SHOW fsync', frozenset({'on'}), 'fsync=on'),
    ),
}


@transaction
def _schema(db: Database) -> Result:
    found, head = migrations.check_known(db), migrations.head()
    if found == head:
        return Result(Code.SUCCESS)
    return Result(Code.FAILURE, f'The schema has the revision {found}, this '
                                f'release needs {head}: run mogan-dbsync '
                                f'upgrade.')


@transaction
def _durability(db: Database) -> Result:
    faults = []
    with db.reader() as connection:
        for query, good, name in _DURABLE[db.url.get_backend_name()]:
            value = str(connection.execute(sa.text(query)).scalar_one())
            if value not in good:
                faults.append(f'{value} found where {name} is needed')
    if not faults:
        return Result(Code.SUCCESS)
    return Result(Code.FAILURE, 'An acknowledged lock could be lost in a '
                                f'crash of the database: '
                                f'{"; ".join(faults)}.')


@transaction
def _clocks(db: Database) -> Result:
    """A worker reckons its lease on its own clock: both have to run alike,
    and a gap is the sign of a clock that nobody keeps."""
    with db.reader() as connection:
        theirs = connection.execute(sa.select(clock.NOW)).scalar_one()
    gap = abs(time.time() - theirs.replace(tzinfo=datetime.UTC).timestamp())
    if gap <= _GAP:
        return Result(Code.SUCCESS)
    return Result(Code.WARNING, f"This host's clock and the database's are "
                                f'{gap:.1f} seconds apart: keep both with '
                                f'NTP.')


class Checks(upgradecheck.UpgradeCommands):
    """The checks of `mogan-status upgrade check`."""

    def _with_database(self, check: Callable[[Database], Result]) -> Result:
        db = Database.from_conf(CONF)
        try:
            return check(db)
        except exception.MoganError as error:
            return Result(Code.FAILURE, error.message)
        finally:
            db.dispose()

    def _schema(self) -> Result:
        return self._with_database(_schema)

    def _durability(self) -> Result:
        return self._with_database(_durability)

    def _clocks(self) -> Result:
        return self._with_database(_clocks)

    def _driver(self) -> Result:
        try:
            baremetal.load(CONF).close()
        except (ValueError, OSError, RuntimeError) as error:
            return Result(Code.FAILURE, str(error))
        return Result(Code.SUCCESS)

    _upgrade_checks = (
        ('Schema', _schema),
        ('Durability', _durability),
        ('Clocks', _clocks),
        ('Hardware driver', _driver),
        ('Policy file', (common_checks.check_policy_json, {'conf': CONF})),
    )


def main() -> int:
    """Run the checks: 0 where all is well, 1 for a warning, 2 for a
    failure."""
    launch.register()
    return upgradecheck.main(CONF, 'mogan', Checks())


if __name__ == '__main__':
    sys.exit(main())
