"""Every line of the README that can be pasted, pasted."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import conditions
from pixy_grpc.settings import Settings, name_of
from tests.support.process import WAIT_SECONDS, ServeProcess, serving

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "127.0.0.1:50051"
STARTS_THE_SERVER = "make run"


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language, in their order."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    """Serve as `make run` does, with a token of its own, in a folder like a clone's."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    (folder / "protos").symlink_to(ROOT / "protos")
    with serving(folder, PIXY_TOKENS="") as process:
        yield process


def paste(served: ServeProcess, *command: str) -> str:
    """Run what was pasted, against this server instead of one on the default port."""
    address = served.server.target
    done = subprocess.run(
        [part.replace(ADDRESS, address) for part in command],
        cwd=served.folder,
        env={**os.environ, "PIXY_TARGET": address},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.timeout(600)
def test_paste_shell_lines_all_work(served: ServeProcess) -> None:
    """Each block of shell lines runs to its end, each line of it without an error."""
    lines = [block for block in blocks("sh") if block.strip() != STARTS_THE_SERVER]

    shown = [paste(served, "bash", "-euo", "pipefail", "-c", block) for block in lines]

    assert len(lines) == 4
    assert (served.folder / "fox.png").read_bytes() == (served.folder / "copy.png").read_bytes()
    assert "a boat on a quiet lake" in shown[2]
    assert "image/webp" in shown[2]
    assert "nothing is wrong" in shown[3]


def test_paste_python_makes_and_fetches_an_image(served: ServeProcess) -> None:
    """The lines for Python work as they stand."""
    (program,) = blocks("python")

    shown = paste(served, sys.executable, "-c", program)

    assert "a-lighthouse-by-the-sea-at-night.png" in shown
    assert hashlib.sha256((served.folder / "lighthouse.png").read_bytes()).digest()


def test_settings_table_names_every_setting() -> None:
    """The table has a row for each setting of the server, and none that is not there."""
    client_only = {"PIXY_TARGET", "PIXY_TOKEN"}
    later = {"PIXY_TLS_CERT", "PIXY_TLS_KEY", "PIXY_TLS_CLIENT_CA", "PIXY_KEYS_FILE"}
    settings = {name_of(field) for field in Settings.model_fields}

    cells = re.findall(
        r"^\| ([A-Z]+_[\w, ]+) \|", README.partition("## Status codes")[0], flags=re.MULTILINE
    )
    listed = {name for cell in cells for name in cell.split(", ")}

    assert listed - client_only == settings - later


def test_status_table_names_every_reason() -> None:
    """The table has each reason of the contract beside its status."""
    section = README.partition("## Status codes")[2]
    rows = re.findall(r"^\| ([A-Z_]+) \| ([A-Z_, ]+)", section, flags=re.MULTILINE)

    listed = {reason: status for status, reasons in rows for reason in reasons.split(", ")}

    expected = {reason: kind.status for reason, kind in conditions().items()}
    assert {reason.strip(): status for reason, status in listed.items()} == expected
