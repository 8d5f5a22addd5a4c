"""One connection to the server: made unconnected, connected when first used."""

import select
import ssl

import pymysql.connections
from pymysql.constants import CLIENT, CR, FIELD_TYPE
from pymysql.converters import conversions

from pixy_grpc.core.call import Deadline
from pixy_grpc.data.mysql.dial import Dialer
from pixy_grpc.data.mysql.url import MySQLAddress
from pixy_grpc.data.mysql.wire import DeadlineSocket, Limit, ssl_context

CLOSE_SECONDS = 0.2
"""How long saying goodbye may take: five bytes into a buffer of the kernel."""

LOCK_WAIT_SECONDS = 3
"""How long a statement waits for a row or a table that another transaction holds: longer
than any of ours holds one, shorter than callers wait."""

STATEMENT_SECONDS = 10
"""When the server gives up on a statement: its caller has by then, see OPERATION_SECONDS."""

SQL_MODE = (
    "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"
)
"""What does not fit is an error. Without ANSI_QUOTES and NO_BACKSLASH_ESCAPES: PyMySQL
writes its values for a session that has neither."""

# MariaDB reads what is in /*M! */, MySQL 8.0 what is in /*!80000 */, and not the other's.
SETTINGS = (
    f"SET SESSION time_zone = '+00:00', sql_mode = '{SQL_MODE}',"
    f" innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}, lock_wait_timeout = {LOCK_WAIT_SECONDS}"
    f" /*M! , max_statement_time = {STATEMENT_SECONDS} */"
    f" /*!80000 , max_execution_time = {STATEMENT_SECONDS * 1000} */"
)
ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
HAS_SYNC_WAIT = "SHOW VARIABLES LIKE 'wsrep_sync_wait'"
SYNC_WAIT = "SET SESSION wsrep_sync_wait = 1"

_AS_TEXT = (FIELD_TYPE.TIMESTAMP, FIELD_TYPE.DATETIME)
_CONVERSIONS = {kind: by for kind, by in conversions.items() if kind not in _AS_TEXT}


class Server:
    """What the connections of one pool have in common."""

    def __init__(self, address: MySQLAddress) -> None:
        self.address = address
        self.dialer = Dialer(address.host, address.port, address.unix_socket)
        self.tls: ssl.SSLContext | None = ssl_context(address.tls) if address.tls else None
        self.has_sync_wait: bool | None = None


class Connection(pymysql.connections.Connection):
    """A connection of PyMySQL whose every operation ends by the deadline in `limit`.

    Making one does no I/O: DBUtils makes them while it holds the lock of its pool.
    `connect_by` connects, again after a loss; PyMySQL closes the socket itself on
    whatever goes wrong on it, so what comes late from the server reaches nobody.
    """

    def __init__(self, server: Server) -> None:
        address = server.address
        super().__init__(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password.encode(),
            database=address.database,
            charset="utf8mb4",
            conv=_CONVERSIONS,
            client_flag=CLIENT.FOUND_ROWS,
            init_command=SETTINGS,
            autocommit=True,
            ssl=server.tls,
            ssl_disabled=server.tls is None,
            defer_connect=True,
        )
        self.limit = Limit(Deadline(0.0))
        self.taken_at = 0.0
        self._server = server
        self._poll = select.poll()

    def connect_by(self, deadline: Deadline) -> None:
        """Connect and prepare the session; raise pymysql.Error."""
        self.limit = Limit(deadline)
        try:
            sock = self._server.dialer.dial(self.limit)
        except OSError as error:
            raise pymysql.OperationalError(2003, f"cannot connect: {error}") from error
        self._poll = select.poll()
        self._poll.register(sock.fileno(), select.POLLIN)
        self._shake_hands(sock)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _shake_hands(self, sock: DeadlineSocket) -> None:
        """Log in. Where something else than MySQL answers, PyMySQL's error has no number."""
        try:
            self.connect(sock)
        except pymysql.Error as error:
            if error.args and isinstance(error.args[0], int):
                raise
            raise pymysql.OperationalError(CR.CR_MALFORMED_PACKET, f"no MySQL: {error}") from error

    def _prepare(self) -> None:
        """Read what is committed, on a Galera node what is committed on any of them."""
        self.query(ISOLATION)
        if self._server.has_sync_wait is None:
            self._server.has_sync_wait = bool(self.query(HAS_SYNC_WAIT))
        if self._server.has_sync_wait:
            self.query(SYNC_WAIT)

    def has_news(self) -> bool:
        """Tell whether the server has said something unasked: that it is going, or gone."""
        return bool(self._poll.poll(0))

    def answers_by(self, deadline: Deadline) -> bool:
        """Tell whether the server answers a ping; if not, the connection is closed."""
        self.limit.deadline = deadline
        try:
            self.ping(reconnect=False)
        except pymysql.Error:
            self.close()
        return self.open

    def close(self) -> None:
        """Say goodbye, where there is still somebody, and close the socket."""
        self.limit.deadline = Deadline.after(CLOSE_SECONDS)
        if self.open:
            super().close()
