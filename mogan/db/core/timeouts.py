# SPDX-License-Identifier: Apache-2.0
"""Time limits of the database, in seconds: a request whose access exceeds
one is answered that it may be sent again."""

from typing import Final

# For a connection, for an answer, for a row that another transaction holds,
# for the writer's lock of SQLite.
CONNECT: Final = 5
ANSWER: Final = 15
ROW: Final = 8
WRITER: Final = 7
# A process that stands still in the middle of a transaction loses it after
# this time, before the waiting ones give up.
IDLE: Final = 5
# The first two, as the drivers call them that come with the service; by the
# last of them the system finds out by itself that a host is gone.
OPTIONS: Final[dict[str, dict[str, str]]] = {
    'pymysql': {'connect_timeout': str(CONNECT),
                'read_timeout': str(ANSWER)},
    'psycopg': {'connect_timeout': str(CONNECT),
                'tcp_user_timeout': str(ANSWER * 1000),
                'keepalives_idle': '5', 'keepalives_interval': '5',
                'keepalives_count': '2'}}
