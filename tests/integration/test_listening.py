"""Addresses of this machine, held for workers to listen on."""

import subprocess
import sys

from tests.integration import link

SECONDS = 60.0
"""Bound on a process that listens and ends."""


def test_address_of_a_link_is_listened_on_at_that_link() -> None:
    """No setting spells one; the name of a machine may stand for it beside others."""
    ended = subprocess.run(
        [*link.WITHIN, sys.executable, "-m", link.__name__],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"[{link.ADDRESS}%{link.LINK}]:")
