"""Rewrites named parameters from `:name`, which SQLite takes, to PyMySQL's `%(name)s`."""

import re
from functools import lru_cache

CACHED_STATEMENTS = 256
"""The repository has some twenty, and a few more for each length of a list."""

_PARAMETER = re.compile(
    r"""('(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`)|:([a-z_][a-z0-9_]*)""", re.DOTALL
)


@lru_cache(CACHED_STATEMENTS)
def pyformat(sql: str) -> str:
    """Return a statement as PyMySQL takes it; what is quoted is left alone."""
    return _PARAMETER.sub(_rewritten, sql.replace("%", "%%"))


def _rewritten(match: re.Match[str]) -> str:
    quoted, name = match.groups()
    return str(quoted) if quoted else f"%({name})s"
