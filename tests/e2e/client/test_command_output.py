"""Where `pixy` writes: what cannot be written is said in time, and of what was asked for."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.client.details import GUID, sends_image
from tests.e2e.client.pixy import PROGRAM, Pixy, environment
from tests.e2e.client.stand_in import WAIT_SECONDS, StandIn
from tests.support.process import unmeasured

READ_ONLY = "/sys"
"""A folder in which nobody makes a file, whoever runs the tests."""


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("create", "A fox", "-o", f"{READ_ONLY}/fox.png"), f"{READ_ONLY}/fox.png"),
        (("create", "A fox", "-o", READ_ONLY), READ_ONLY),
        (("create", "A fox", "--partials", READ_ONLY), READ_ONLY),
        (("get", GUID, "-o", f"{READ_ONLY}/fox.png"), f"{READ_ONLY}/fox.png"),
    ],
)
def test_output_in_a_folder_that_is_read_only_asks_for_nothing(
    stand_in: StandIn, pixy: Pixy, arguments: tuple[str, ...], named: str
) -> None:
    """No image is made, and perhaps paid for, that cannot be kept."""
    result = pixy(*arguments)

    assert result.exit_code == 2
    assert result.stderr == f"pixy: Permission denied: {named}\n"
    assert stand_in.received == []


def test_output_that_becomes_too_large_is_named(stand_in: StandIn, tmp_path: Path) -> None:
    """And not the hidden file that it is until it is whole."""
    stand_in.script("GetImageBytes", sends_image())
    limited = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", PROGRAM]

    finished = subprocess.run(
        [*limited, "get", GUID, "-o", f"{tmp_path}/fox.png"],
        env=environment(stand_in) | unmeasured(),  # what is measured is a file too
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )

    assert finished.stderr == f"pixy: FILE_ERROR: File too large: {tmp_path}/fox.png\n"
    assert list(tmp_path.iterdir()) == []
