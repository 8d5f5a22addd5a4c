"""MySQL and MariaDB: what production runs."""

from pixy_grpc.data.mysql.database import MySQLDatabase
from pixy_grpc.data.mysql.durability import durability_warnings
from pixy_grpc.data.mysql.url import MySQLAddress, parse_url

__all__ = ["MySQLAddress", "MySQLDatabase", "durability_warnings", "parse_url"]
