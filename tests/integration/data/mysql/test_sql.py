"""How a statement is rewritten for PyMySQL."""

import pytest

from pixy_grpc.data.mysql.sql import pyformat


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", "SELECT 1"),
        ("a = :a AND b = :b_2", "a = %(a)s AND b = %(b_2)s"),
        (":a,:a(:b)", "%(a)s,%(a)s(%(b)s)"),
        ("LIKE '%x' AND c % :d", "LIKE '%%x' AND c %% %(d)s"),
        ("'12:a0' = :a", "'12:a0' = %(a)s"),
        ("'it''s :a' = :a", "'it''s :a' = %(a)s"),
        (r"'\':a' = :a", r"'\':a' = %(a)s"),
        ('":a" = :a', '":a" = %(a)s'),
        ("`:a` = :a", "`:a` = %(a)s"),
        ("a := 1", "a := 1"),
    ],
)
def test_named_parameters_are_rewritten(sql: str, expected: str) -> None:
    """Where they stand for values, and nowhere else."""
    assert pyformat(sql) == expected
