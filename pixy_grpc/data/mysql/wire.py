"""Sockets that keep a deadline, whatever the driver on top of them asks for.

PyMySQL's own timeouts are per call of recv: an answer in many pieces, a handshake, or a
server that drips bytes outlive them. A socket of ours knows the moment by which all of it
has to end, and gives each call what is left until then.
"""

import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

from pixy_grpc.core.call import Deadline
from pixy_grpc.data.mysql.url import TLS

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Limit:
    """The deadline of whoever holds a connection now, shared by its sockets."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.socket: socket.socket | None = None

    def remaining(self) -> float:
        """Return the seconds left; raise TimeoutError where there are none."""
        left = self.deadline.remaining()
        if not left:
            raise TimeoutError("the deadline has passed")
        return left

    def shut_down(self) -> None:
        """Make whatever a thread waits for on the socket end at once, as if the peer had gone."""
        if self.socket:
            with suppress(OSError):  # it has gone already
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # beneath TLS


class DeadlineSocket(socket.socket):
    """A socket whose every operation ends by its limit, or raises TimeoutError."""

    limit: Limit

    def recv_into(
        self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0
    ) -> int:
        """Receive what is there, at least one byte."""
        self.settimeout(self.limit.remaining())
        if nbytes is None:
            return super().recv_into(buffer)
        return super().recv_into(buffer, nbytes, flags)

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Send what fits."""
        self.settimeout(self.limit.remaining())
        return super().send(data, flags)

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        """Send everything: Python's timeout is for all of it."""
        self.settimeout(self.limit.remaining())
        super().sendall(data, flags)


class _DeadlineTLSSocket(DeadlineSocket, ssl.SSLSocket):
    """The same inside TLS."""


class _DeadlineContext(ssl.SSLContext):
    """Hands the limit of a socket on to the one that TLS makes of it.

    The handshake as a whole has the time that the last operation before it had.
    """

    sslsocket_class = _DeadlineTLSSocket

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """Wrap one of our sockets."""
        wrapped = super().wrap_socket(
            sock,
            server_side=server_side,
            do_handshake_on_connect=do_handshake_on_connect,
            suppress_ragged_eofs=suppress_ragged_eofs,
            server_hostname=server_hostname,
            session=session,
        )
        if isinstance(sock, DeadlineSocket) and isinstance(wrapped, DeadlineSocket):
            wrapped.limit = sock.limit
            wrapped.limit.socket = wrapped
        return wrapped


def ssl_context(tls: TLS) -> ssl.SSLContext:
    """Return a context that verifies as asked; raise ValueError for files it cannot use.

    It takes 20 ms to make, so it is made once and shared by every connection.
    """
    context = _DeadlineContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if tls.ca:
            context.load_verify_locations(tls.ca)
        else:
            context.load_default_certs()
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key)
    except OSError as error:
        files = ", ".join(str(file) for file in (tls.ca, tls.certificate, tls.key) if file)
        raise ValueError(f"TLS for the database cannot use {files}: {error}.") from error
    context.check_hostname = tls.check_hostname
    # Python 3.13's default refuses the certificates that MySQL makes for itself.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
