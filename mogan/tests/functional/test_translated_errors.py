# SPDX-License-Identifier: Apache-2.0
"""Errors of a server that speaks another language: triggers send the codes
of real errors with other messages, whatever locales the server has."""

import contextlib

from mogan.tests.functional import base
from mogan.tests.support import backends, deployment

_MESSAGE = 'Doppelter Wert'
# A trigger that refuses a row; the second one only the first time, by what
# no rollback undoes.
_POSTGRESQL = """
CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {condition} THEN
        RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = '{message}';
    END IF;
    RETURN NEW;
END $$;
CREATE SEQUENCE refusals;
CREATE TRIGGER refuse BEFORE INSERT ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_it()"""
_MARIADB = """
CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW
IF {condition} THEN
    SET @refused = 1;
    SIGNAL SQLSTATE 'HY000'
        SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = '{message}';
END IF"""
_DROP = {
    'postgresql': ('DROP TRIGGER refuse ON {table}',
                   'DROP FUNCTION refuse_it', 'DROP SEQUENCE refusals'),
    'mariadb': ('DROP TRIGGER refuse',)}
_CREATE = {'postgresql': _POSTGRESQL, 'mariadb': _MARIADB}
_ONCE = {'postgresql': "nextval('refusals') = 1",
         'mariadb': '@refused IS NULL'}
_DUPLICATE = {'postgresql': '23505', 'mariadb': 1062}
# After these the transaction may run again.
_AGAIN = {'postgresql': ('40P01', '40001'), 'mariadb': (1213, 1020)}
# After these whoever asked may.
_LATER = {'postgresql': ('55P03', '57014'), 'mariadb': (1205,)}


class TestErrors(base.FunctionalTest):

    engines = 0

    def run_all(self, *statements):
        with self.db.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    @contextlib.contextmanager
    def refused(self, table, code, condition):
        """New rows of a table are refused with a code."""
        self.run_all(_CREATE[backends.NAME].format(
            table=table, code=code, condition=condition, message=_MESSAGE))
        try:
            yield
        finally:
            self.run_all(*[statement.format(table=table)
                           for statement in _DROP[backends.NAME]])

    def test_a_duplicate_is_a_conflict(self):
        wanted = {'name': 'f', 'resources': {deployment.SMALL: 1}}
        with self.refused('flavors', _DUPLICATE[backends.NAME],
                          "NEW.name = 'f'"):
            answer = self.expect(409, self.admin.post('/v1/flavors', wanted))
        self.assertIn('f', answer.json['error']['message'])

    def test_what_was_undone_for_another_is_done_again(self):
        for code in _AGAIN[backends.NAME]:
            uuid = self.put_row()
            with self.refused('actions', code, _ONCE[backends.NAME]):
                self.ask(uuid, 'lock')
            self.assertEqual(1, len(self.history(uuid)))
            # MariaDB's sessions remember what they have refused.
            self.db.dispose()

    def test_what_took_too_long_may_be_tried_later(self):
        for code in _LATER[backends.NAME]:
            uuid = self.put_row()
            with self.refused('actions', code, '1 = 1'):
                answer = self.expect(503, self.admin.lock(uuid))
            self.assertIn('retry-after', answer.headers)


if backends.NAME == 'sqlite':
    del TestErrors  # its messages are not translated
