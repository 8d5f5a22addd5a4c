"""The command: every kind of finding, what each option does, and what the codes say."""

import json
import signal
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pixy_grpc.cli.commands import app
from pixy_grpc.cli.fsck import purge_age, run_fsck
from pixy_grpc.preparation import prepare
from pixy_grpc.service.fsck import Tasks
from pixy_grpc.settings import SettingsError
from tests.e2e.fsck.command import fsck, on_terminal, run_here, start
from tests.integration.data.examples import new_key
from tests.integration.fsck.depot import DATA, Depot, files, make_old
from tests.support.process import PROGRAM, WAIT_SECONDS, environment
from tests.support.server import running_server, settings_for
from tests.unit.service.fsck.depot import CHECK, REPAIR


def damage(depot: Depot) -> dict[str, str]:
    """Do everything that can be found; return the keys by the names of the faults."""
    depot.fill(4)
    named = ("row_without_bytes", "wrong_size", "wrong_sum")
    keys = {fault: depot.image().key for fault in named}
    depot.path(keys["row_without_bytes"]).unlink()
    depot.path(keys["wrong_size"]).write_bytes(DATA[:-1])
    depot.path(keys["wrong_sum"]).write_bytes(DATA[:-1] + b"!")
    depot.older("gone.png")
    return {
        **keys,
        "row_without_contents": "",
        "bytes_without_row": depot.put(new_key()),
        "unfinished_creation": depot.abandoned()[1],
        "cut_write": f"incoming/{depot.leftover()}",
    }


def test_every_damage_is_found_and_what_can_be_is_mended(
    depot: Depot, capsys: pytest.CaptureFixture[str]
) -> None:
    """1 while something is left; a check alone changes nothing; a repair deletes nothing."""
    expected = damage(depot)
    before = files(depot.folder, ["images/**/*"])
    mended = ("bytes_without_row", "cut_write", "unfinished_creation")

    looked = fsck(depot.folder, "--allow-orphans", "1")
    unchanged = files(depot.folder, ["images/**/*"])
    repaired = fsck(depot.folder, "--repair", "--allow-orphans", "1")
    again = run_here(capsys, depot.settings)

    assert dict(looked.findings) == dict(repaired.findings) == expected
    assert (looked.code, looked.repairs, looked.summary["left"]) == (1, [], 7)
    assert unchanged == before
    assert dict(repaired.repairs) == {
        "quarantined": expected["cut_write"],
        "finished": expected["unfinished_creation"],
    }
    assert (repaired.code, repaired.summary["left"]) == (1, 4)
    assert files(depot.folder, ["images/**/*"]) == before | {".quarantine"}
    assert dict(again.findings) == {
        fault: key for fault, key in expected.items() if fault not in mended
    }
    assert not [*looked.errors, *repaired.errors]


def test_repair_that_mends_everything_ends_with_0(
    depot: Depot, capsys: pytest.CaptureFixture[str]
) -> None:
    depot.fill(4)
    depot.put(new_key())
    depot.abandoned()

    assert run_here(capsys, depot.settings, REPAIR).code == 0
    assert run_here(capsys, depot.settings).findings == []


def test_quick_reads_no_bytes(depot: Depot, capsys: pytest.CaptureFixture[str]) -> None:
    """Sizes are told all the same."""
    expected = damage(depot)

    quick = run_here(capsys, depot.settings, replace(CHECK, sums=False))

    assert set(expected) - {fault for fault, _ in quick.findings} == {"wrong_sum"}


def test_adopted_images_are_verified_from_then_on(depot: Depot) -> None:
    """A client that read them as they were reads them held to their SHA-256."""
    depot.sql("UPDATE adoption SET last_image = 1000")
    guid = depot.older("fox.png")
    depot.file("fox.png")
    with running_server(depot.folder) as server, server.client() as client:
        assert not client.read(guid).verified

        ended = fsck(depot.folder, "--adopt", "--quick")

        read = client.read(guid)
        assert (ended.code, ended.repairs) == (0, [("adopted", "older/fox.png")])
        assert (read.verified, read.data) == (True, DATA)
        assert (read.image.width, read.image.content_type) == (8, "image/png")


def test_file_of_two_older_images_outlives_one_of_them(
    depot: Depot, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever is deleted, the other is read as before, and nothing is found missing."""
    depot.sql("UPDATE adoption SET last_image = 1000")
    first, second = (depot.older("fox.png") for _ in range(2))
    depot.file("fox.png")
    with running_server(depot.folder) as server, server.client() as client:
        assert client.read(first).data == DATA

        client.delete(first)

        assert client.read(second).data == DATA
        assert run_here(capsys, depot.settings).findings == []
        client.delete(second)
    assert not (depot.root / "fox.png").exists()


def test_purge_deletes_by_age_and_by_nothing_else(
    depot: Depot, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one way in which anything is deleted takes both options."""
    depot.fill(4)
    old, new = (depot.put(new_key()) for _ in range(2))
    run_here(capsys, depot.settings, REPAIR)
    make_old(depot.root / ".quarantine" / old, timedelta(days=31))

    ended = fsck(depot.folder, "--purge-quarantine", "--older-than", "30d")

    assert (ended.code, ended.repairs) == (0, [("purged", old)])
    assert files(depot.root / ".quarantine", ["*"]) == {new}
    assert ended.summary["kept_in_quarantine"] == 1


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("0s", timedelta(0)),
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("8w", timedelta(weeks=8)),
        ("36500d", timedelta(days=36_500)),
    ],
)
def test_older_than_takes_durations(text: str, age: timedelta) -> None:
    assert purge_age(text, purge=True) == age


@pytest.mark.parametrize(
    ("text", "purge", "says"),
    [
        ("", True, "--older-than"),
        ("30d", False, "--purge-quarantine"),
        ("30", True, "30d"),
        ("-1d", True, "30d"),
        ("1d2h", True, "30d"),
        ("d", True, "30d"),
        ("1234567d", True, "30d"),
        ("36501d", True, "36500d"),
        ("999999w", True, "36500d"),
    ],
)
def test_purge_takes_both_options(text: str, says: str, *, purge: bool) -> None:
    """Neither says enough alone for anything to be deleted."""
    with pytest.raises(SettingsError, match=says):
        purge_age(text, purge=purge)


def test_bad_options_end_with_one_line(depot: Depot) -> None:
    """And with 2, like a bad setting; nothing has been looked at, and a program is told why."""
    for options in (["--purge-quarantine"], ["--purge-quarantine", "--older-than", "999999d"]):
        ended = fsck(depot.folder, *options)

        (line,) = ended.errors
        assert (ended.code, ended.events) == (2, [ended.summary])
        assert "--older-than" in line
        assert str(ended.summary["stopped"]) in line


def test_bad_setting_ends_with_a_summary(tmp_path: Path) -> None:
    ended = fsck(tmp_path, PIXY_DATABASE_URL="sqlite:///none.db")

    (line,) = ended.errors
    assert (ended.code, ended.events) == (2, [ended.summary])
    assert "PIXY_DATABASE_URL" in str(ended.summary["stopped"])
    assert str(ended.summary["stopped"]) in line


def test_database_that_is_down_ends_with_4(depot: Depot) -> None:
    """From the start: the setting may be right, and the next run find it."""
    ended = fsck(depot.folder, PIXY_DATABASE_URL="mysql://me:word@127.0.0.1:1/pixy")

    (line,) = ended.errors
    assert (ended.code, ended.events) == (4, [ended.summary])
    assert "PIXY_DATABASE_URL" in line
    assert "PIXY_DATABASE_URL" in str(ended.summary["stopped"])


@pytest.mark.parametrize("options", [["--json"], []])
def test_output_that_cannot_be_written_ends_with_4(depot: Depot, options: list[str]) -> None:
    """On a full disk: one line, and no traceback; what would have been told is not lost."""
    depot.older("gone.png")
    with Path("/dev/full").open("w") as full:
        process = start(depot.folder, *options, output=full)
        _, errors = process.communicate(timeout=WAIT_SECONDS)

    assert process.returncode == 4
    (line,) = errors.splitlines()
    assert "cannot be written" in line


@pytest.mark.parametrize("options", ["--json", ""])
def test_output_that_is_not_there_ends_with_4(depot: Depot, options: str) -> None:
    """As of a service that is started without one."""
    ended = subprocess.run(
        ["sh", "-c", f"exec {PROGRAM} fsck {options} >&-"],
        cwd=depot.folder,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )

    (line,) = ended.stderr.splitlines()
    assert (ended.returncode, "cannot be written" in line) == (4, True)


def test_reader_that_goes_away_ends_a_check(depot: Depot) -> None:
    many_rows(depot, 2_000)
    process = start(depot.folder, "--json")
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(WAIT_SECONDS) == 4
    assert process.stderr
    (line,) = process.stderr.read().splitlines()
    process.stderr.close()
    assert "cannot be written" in line


def test_store_of_another_service_is_refused(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """3 and one line, whatever was asked for; both ids are named."""
    orphan = depot.put(new_key())
    other = Depot(tmp_path / "other", database_url=f"sqlite:///{tmp_path / 'b.db'}")
    other.close()
    crossed = settings_for(
        tmp_path, images=str(depot.root), database_url=other.settings.database_url
    )

    ended = run_here(capsys, crossed, REPAIR)

    (line,) = ended.errors
    assert (ended.code, ended.events) == (3, [ended.summary])
    assert str(ended.summary["stopped"]) in line
    assert depot.store_id in line
    assert other.store_id in line
    assert files(depot.root) == {orphan}


def test_many_orphans_are_refused(depot: Depot) -> None:
    """3 and one line; they are told, and nothing is moved or deleted."""
    depot.fill(30)
    orphans = {depot.put(new_key()) for _ in range(11)}
    _, unfinished = depot.abandoned()
    before = files(depot.folder, ["images/**/*"])

    ended = fsck(depot.folder, "--repair", "--purge-quarantine", "--older-than", "0d")

    (line,) = ended.errors
    assert (ended.code, ended.repairs) == (3, [])
    assert "11 of 42 objects" in line
    assert "--allow-orphans" in line
    assert {key for _, key in ended.findings} == orphans | {unfinished}
    assert files(depot.folder, ["images/**/*"]) == before


def test_store_that_goes_away_ends_with_4(depot: Depot) -> None:
    """Rather than with a million images whose bytes are gone; what was missed is named."""
    many_rows(depot, 2_000)
    depot.sql(
        "INSERT INTO image_contents SELECT id, guid || '.1.png', 'image/png', 7, '0', x'', 1, 1,"
        " '', '' FROM images"
    )
    process = start(depot.folder, "--json")
    assert process.stdout
    process.stdout.readline()

    (depot.root / ".pixy-store").unlink()
    rest, errors = process.communicate(timeout=WAIT_SECONDS)

    *events, summary = [json.loads(line) for line in rest.splitlines()]
    assert process.returncode == 4
    assert summary["event"] == "summary"
    assert {each["fault"] for each in events} <= {"row_without_bytes"}
    assert len(events) < 2_000
    (line,) = errors.splitlines()
    assert ".pixy-store" in line
    assert str(summary["stopped"]) in line


def many_rows(depot: Depot, count: int) -> None:
    """Add rows that are findings each, more than a pipe holds the lines of."""
    for _ in range(count):
        depot.older("gone.png")


def test_signal_ends_a_check_cleanly(depot: Depot) -> None:
    """What was found so far is told, with a summary and 130, and no traceback."""
    many_rows(depot, 2_000)
    process = start(depot.folder, "--json", "--repair")
    assert process.stdout
    first = process.stdout.readline()

    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=WAIT_SECONDS)

    *events, summary = [json.loads(line) for line in [first, *rest.splitlines()]]
    assert process.returncode == 130
    assert 0 < len(events) < 2_000
    assert (summary["event"], summary["stopped"] != "") == ("summary", True)
    assert len(errors.splitlines()) == 1


def test_text_tells_findings_and_what_is_left(
    depot: Depot, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line each, then a summary, and what is not wrong but worth knowing."""
    depot.fill(2)
    depot.path(depot.image().key).unlink()
    depot.put(new_key(), age=timedelta(0))

    code = run_fsck(depot.settings, Tasks(), as_json=False)

    finding, summary, young = capsys.readouterr().out.splitlines()
    assert code == 1
    assert finding.startswith("row_without_bytes guid=")
    assert summary == "3 images and 3 objects looked at: 1 wrong, 1 left."
    assert young == "objects that are too young to be judged: 1"


def test_names_move_no_cursor(depot: Depot, capsys: pytest.CaptureFixture[str]) -> None:
    """A filename of an earlier PixyProxy may hold anything; a line stays a line."""
    depot.sql("UPDATE adoption SET last_image = 1000")
    depot.older("fox\x1b[2J\n.png")
    (depot.root / "fox\x1b[2J\n.png").write_bytes(DATA)
    prepare(depot.settings)
    (depot.root / "fox\x1b[2J\n.png").unlink()

    run_fsck(depot.settings, Tasks(), as_json=False)

    finding, _ = capsys.readouterr().out.splitlines()
    assert "key=older/fox\\x1b[2J\\n.png" in finding


def test_names_that_the_output_cannot_hold_end_no_run(depot: Depot) -> None:
    """They are told by what their characters are, and what is behind them is told too."""
    depot.sql("UPDATE adoption SET last_image = 1000")
    depot.older("狐.png")
    file = depot.file("狐.png")
    prepare(depot.settings)
    file.unlink()

    process = start(depot.folder, PYTHONIOENCODING="latin-1")
    said, errors = process.communicate(timeout=WAIT_SECONDS)

    finding, summary = said.splitlines()
    assert (process.returncode, errors) == (1, "")
    assert "key=older/\\u72d0.png" in finding
    assert summary == "1 images and 0 objects looked at: 1 wrong, 1 left."


def test_terminal_shows_a_bar(depot: Depot) -> None:
    """While it runs; the summary stays."""
    depot.fill(2)

    code, written = on_terminal(depot.folder)

    assert code == 0
    assert "rows" in written
    assert "2 images and 2 objects looked at: nothing is wrong." in written


def test_help_names_every_option_and_exit_code() -> None:
    """Without a server or a database."""
    said = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["fsck", "--help"]).stdout

    for word in (
        "--repair",
        "--adopt",
        "--older-than",
        "--allow-orphans",
        "--quick",
        "  3  ",
        "  4  ",
        "  130  ",
    ):
        assert word in said
