"""That TLS is used where it was asked for, with the right server only."""

import ipaddress
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DBConnectionError
from pixy_grpc.data.database import Row
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from tests.integration.data.examples import soon
from tests.integration.data.mysql.faults import call, require_recovery
from tests.support.mariadb import MariaDBServer

CIPHER = "SHOW SESSION STATUS LIKE 'Ssl_cipher'"
ASLEEP = "SELECT 1 FROM information_schema.processlist WHERE info = 'SELECT SLEEP(9)'"
PLAIN: list[Row] = [{"Variable_name": "Ssl_cipher", "Value": ""}]


@dataclass(frozen=True)
class Authority:
    """Signs certificates, and keeps all in a folder."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        """What those who trust it need."""
        return _write(self.folder / "ca.pem", self.certificate)

    def sign(self, name: str, address: str) -> tuple[Path, Path]:
        """Return the certificate of a server at an address, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        signed = (
            _builder(name, self.certificate.subject, key)
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        certificate = _write(self.folder / f"{name}.pem", signed)
        path = self.folder / f"{name}.key"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, path


def _authority(folder: Path) -> Authority:
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    certificate = (
        _builder("authority", name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(folder, key, certificate)


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )


def _write(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make an authority that signed the server's certificate, for another address too."""
    return _authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def tls_server(authority: Authority) -> Iterator[MariaDBServer]:
    """Start a server with a certificate."""
    certificate, key = authority.sign("server", "127.0.0.1")
    server = MariaDBServer(
        f"--ssl-cert={certificate}", f"--ssl-key={key}", f"--ssl-ca={authority.file}"
    )
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _database(server: MariaDBServer, parameters: str) -> MySQLDatabase:
    return MySQLDatabase(parse_url(f"{server.url}/mysql?{parameters}"))


def _cipher(database: MySQLDatabase, deadline: Deadline) -> list[Row]:
    with database.read(deadline) as session:
        return session.query(CIPHER, {})


@pytest.mark.parametrize("parameter", ["pool_size=4", "ssl=0"])
def test_unless_asked_for_there_is_none(tls_server: MariaDBServer, parameter: str) -> None:
    with closing(_database(tls_server, parameter)) as database:
        assert _cipher(database, soon()) == PLAIN


@pytest.mark.parametrize("more", ["", "&ssl=1", "&ssl_check_hostname=1"])
def test_server_of_the_authority_is_spoken_to(
    tls_server: MariaDBServer, authority: Authority, more: str
) -> None:
    with closing(_database(tls_server, f"ssl_ca={authority.file}{more}")) as database:
        assert _cipher(database, soon()) != PLAIN


def test_answers_of_many_records_come_whole(
    tls_server: MariaDBServer, authority: Authority
) -> None:
    long = "x" * 3_000_000
    with (
        closing(_database(tls_server, f"ssl_ca={authority.file}")) as database,
        database.read(soon()) as session,
    ):
        rows = session.query("SELECT :long AS longest", {"long": long})

    assert rows == [{"longest": long}]


def test_server_of_another_authority_is_refused(tls_server: MariaDBServer, tmp_path: Path) -> None:
    other = _authority(tmp_path / "other")
    with closing(_database(tls_server, f"ssl_ca={other.file}")) as database:
        outcome = call(lambda deadline: _cipher(database, deadline), soon())

    assert isinstance(outcome.error, DBConnectionError)


def test_server_unknown_to_the_system_is_refused(tls_server: MariaDBServer) -> None:
    with closing(_database(tls_server, "ssl=1")) as database:
        outcome = call(lambda deadline: _cipher(database, deadline), soon())

    assert isinstance(outcome.error, DBConnectionError)


def test_server_of_another_name_is_refused_unless_told(authority: Authority) -> None:
    certificate, key = authority.sign("elsewhere", "127.0.0.9")
    server = MariaDBServer(f"--ssl-cert={certificate}", f"--ssl-key={key}")
    try:
        server.start()
        with closing(_database(server, f"ssl_ca={authority.file}")) as database:
            strict = call(lambda deadline: _cipher(database, deadline), soon())
        lenient = f"ssl_ca={authority.file}&ssl_check_hostname=0"
        with closing(_database(server, lenient)) as database:
            cipher = _cipher(database, soon())
    finally:
        server.remove()

    assert isinstance(strict.error, DBConnectionError)
    assert cipher != PLAIN


def test_server_without_tls_is_refused(private_server: MariaDBServer, authority: Authority) -> None:
    """Rather than spoken to in the clear."""
    with closing(_database(private_server, f"ssl_ca={authority.file}")) as database:
        outcome = call(lambda deadline: _cipher(database, deadline), soon())

    assert isinstance(outcome.error, DBConnectionError)


def test_frozen_server_holds_nobody_inside_tls(
    tls_server: MariaDBServer, authority: Authority
) -> None:
    """Sockets inside TLS keep the deadline too, in a statement and in a handshake."""
    with closing(_database(tls_server, f"ssl_ca={authority.file}")) as database:
        _cipher(database, soon())
        tls_server.freeze()
        try:
            outcomes = [
                call(lambda deadline: _cipher(database, deadline), Deadline.after(0.3))
                for _ in range(2)
            ]
        finally:
            tls_server.thaw()
        require_recovery(lambda deadline: _cipher(database, deadline), 4)

    assert [type(outcome.error) for outcome in outcomes] == [DBConnectionError] * 2
    assert all(outcome.in_time for outcome in outcomes)


def test_close_ends_what_still_waits_inside_tls(
    tls_server: MariaDBServer, authority: Authority
) -> None:
    """At once, and as if the server had gone."""
    database = _database(tls_server, f"ssl_ca={authority.file}")
    with ThreadPoolExecutor(1) as threads, closing(tls_server.connect()) as other:
        waiting = threads.submit(call, lambda deadline: _sleep(database, deadline), soon())
        while not other.query(ASLEEP):
            pass
        database.close()

        assert isinstance(waiting.result(5).error, DBConnectionError)


def _sleep(database: MySQLDatabase, deadline: Deadline) -> None:
    with database.read(deadline) as session:
        session.query("SELECT SLEEP(9)", {})


def test_our_own_certificate_is_shown(tls_server: MariaDBServer, authority: Authority) -> None:
    certificate, key = authority.sign("pixy", "127.0.0.1")
    with closing(tls_server.connect()) as other:
        other.query("CREATE OR REPLACE USER shy@'%' REQUIRE X509")
    parameters = f"ssl_ca={authority.file}&ssl_cert={certificate}&ssl_key={key}"
    shy = f"mysql://shy@127.0.0.1:{tls_server.port}/information_schema?{parameters}"

    with closing(MySQLDatabase(parse_url(shy))) as database:
        assert _cipher(database, soon()) != PLAIN
