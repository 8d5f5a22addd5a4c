"""The database that the settings name."""

from dataclasses import replace

from pixy_grpc.data.database import Database
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.sqlite import SqliteDatabase
from pixy_grpc.settings import Settings, SettingsError


def open_database(settings: Settings, *, for_creations: bool = False) -> Database:
    """Return the database that the settings name; nothing is connected yet.

    Creations have half as many connections as reads.
    """
    if settings.database_file:
        return SqliteDatabase(settings.database_file)
    try:
        address = parse_url(settings.database_url)
        if for_creations:
            address = replace(address, pool_size=max(1, address.pool_size // 2))
        return MySQLDatabase(address)
    except (ValueError, OSError) as error:
        raise SettingsError(f"PIXY_DATABASE_URL: {error}") from error
