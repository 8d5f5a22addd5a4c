"""What a database that is there, and busy, looks like from outside."""

from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2

from pixy_grpc.app import assemble, creation_parts
from pixy_grpc.core.call import Deadline
from pixy_grpc.databases import open_database
from pixy_grpc.preparation import prepare
from pixy_grpc.web.server import ServerLimits
from tests.support.health import HealthStub
from tests.support.mariadb import MariaDBServer, fresh_database
from tests.support.server import STOP_SECONDS, settings_for

SERVING = health_pb2.HealthCheckResponse.SERVING


def test_health_does_not_wait_for_a_connection_of_the_pool(
    mariadb: MariaDBServer, tmp_path: Path
) -> None:
    """A pool that is busy, all of it lent, is not a database that is lost."""
    with fresh_database(mariadb.url) as url:
        settings = settings_for(tmp_path, database_url=f"{url}?pool_size=1")
        store_id = prepare(settings)
        database = open_database(settings)
        parts = creation_parts(settings, database, store_id)
        app = assemble(settings, settings.tokens, database, parts, ServerLimits())
        with database.read(Deadline.after(30)):
            port = app.server.start("127.0.0.1:0")
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = HealthStub(channel)
                answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
        app.stop(STOP_SECONDS)

    assert answer.status == SERVING
