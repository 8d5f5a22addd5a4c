"""Looks whether the server keeps what it has committed when its machine crashes."""

from pixy_grpc.core.call import Deadline
from pixy_grpc.data.database import Database

_QUESTION = """
    SELECT @@GLOBAL.innodb_flush_log_at_trx_commit AS flush_log,
        @@GLOBAL.log_bin AS log_bin, @@GLOBAL.sync_binlog AS sync_binlog
"""


def durability_warnings(database: Database, deadline: Deadline) -> list[str]:
    """Return a line for each setting with which an acknowledged image can be lost."""
    with database.read(deadline) as session:
        settings = session.query(_QUESTION, {})[0]
    warnings = []
    if int(settings["flush_log"]) != 1:
        warnings.append(
            "The database runs with"
            f" innodb_flush_log_at_trx_commit={settings['flush_log']}, not 1:"
            " a crash of its machine can lose images that were acknowledged."
        )
    if int(settings["log_bin"]) and int(settings["sync_binlog"]) != 1:
        warnings.append(
            f"The database writes a binary log with sync_binlog={settings['sync_binlog']}, not 1:"
            " a crash of its machine can lose acknowledged images from replicas."
        )
    return warnings
