"""Where `pixy` writes: what cannot be written is said in time, and of what was asked for."""

import json
import subprocess
from pathlib import Path

import pytest

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import DATA, GUID, details_of, sends_image
from tests.e2e.client.pixy import PROGRAM, Pixy, environment, run_closed
from tests.e2e.client.stand_in import WAIT_SECONDS, StandIn, answers
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


@pytest.mark.parametrize("arguments", [("show", GUID), ("create", "A fox", "--json")])
def test_report_on_a_full_disk_ends_with_the_code_it_names(
    stand_in: StandIn, arguments: tuple[str, ...]
) -> None:
    """The interpreter would try again on its way out, complain of that, and end with 120."""
    stand_in.script("GetImageDetails", answers(pb.GetImageDetailsResponse(details=details_of())))
    stand_in.script("CreateImage", answers(pb.CreateImageResponse(details=details_of())))

    finished = run_closed(stand_in, ">/dev/full", *arguments)

    assert finished.returncode == 1
    assert finished.stderr.count(b"\n") == 1
    assert b"No space left on device" in finished.stderr


def test_output_by_the_path_of_standard_output_replaces_nothing(
    stand_in: StandIn, tmp_path: Path
) -> None:
    """It leads to whatever the shell has opened: a log that is appended to, for one."""
    log = tmp_path / "log"
    log.write_text("kept\n", encoding="ascii")

    finished = run_closed(stand_in, f">>{log}", "get", GUID, "-o", "/dev/stdout")

    assert finished.returncode == 2
    assert b"--output -" in finished.stderr
    assert log.read_text(encoding="ascii") == "kept\n"
    assert stand_in.received == []


JPEG = details_of(content_type="image/jpeg")


@pytest.mark.parametrize(
    "command", [("create", "A fox", "--format", "jpeg", "--json"), ("get", GUID, "--json")]
)
def test_output_named_as_another_kind_of_image_is_warned_of(
    stand_in: StandIn, pixy: Pixy, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """On standard error, in one line; what was asked for is what is written."""
    stand_in.script("CreateImage", answers(pb.CreateImageResponse(details=JPEG)))
    stand_in.script("GetImageBytes", sends_image(DATA, JPEG))

    result = pixy(*command, "-o", "out.png")

    assert result.exit_code == 0
    assert result.stderr == (
        f"pixy: {tmp_path}/out.png holds image/jpeg, whatever its extension says.\n"
    )
    assert json.loads(result.stdout)["path"] == f"{tmp_path}/out.png"
    assert (tmp_path / "out.png").read_bytes() == DATA


def test_output_named_as_it_is_is_not_warned_of(stand_in: StandIn, pixy: Pixy) -> None:
    """Nor is a name that says nothing, or a folder."""
    stand_in.script("GetImageBytes", sends_image(DATA, JPEG))

    results = [pixy("get", GUID, "-o", output) for output in ("fox.jpeg", "fox", ".")]

    assert [result.stderr for result in results] == ["", "", ""]


@pytest.mark.parametrize(
    ("options", "details", "name"),
    [
        (("--max-side", "256"), details_of(), "a-red-fox-256.png"),
        (("--format", "jpeg"), JPEG, "a-red-fox.jpg"),
        (("--max-side", "128", "--format", "jpeg"), JPEG, "a-red-fox-128.jpg"),
    ],
)
def test_rendition_in_a_folder_is_named_as_one(
    stand_in: StandIn,
    pixy: Pixy,
    tmp_path: Path,
    options: tuple[str, ...],
    details: pb.ImageDetails,
    name: str,
) -> None:
    """The original keeps its plain name, and may lie beside it."""
    stand_in.script("GetImageBytes", sends_image(DATA, details))

    result = pixy("get", GUID, *options)

    assert (result.exit_code, result.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == [name]
