"""Where a client finds its token."""

from pathlib import Path

import pytest

from pixy_client import Client, ClientSettings, MissingTokenError, SettingsError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that has a place for a token, with nothing in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("PIXY_TARGET", "PIXY_TOKEN", "PIXY_INSECURE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".pixy").mkdir()
    return tmp_path


def test_client_finds_the_token_of_a_server_here(folder: Path) -> None:
    """The file that a server leaves in its working folder is enough."""
    (folder / ".pixy" / "token").write_text("left-by-the-server\n")

    with Client() as client:
        token = client.settings.token

    assert token == "left-by-the-server"


def test_client_prefers_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was set was meant."""
    (folder / ".pixy" / "token").write_text("left-by-the-server")
    monkeypatch.setenv("PIXY_TOKEN", "set")

    with Client() as client:
        token = client.settings.token

    assert token == "set"


@pytest.mark.usefixtures("folder")
def test_client_without_a_token_says_what_to_do() -> None:
    """Before any call, and both ways to get one."""
    with pytest.raises(MissingTokenError, match=r"PIXY_TOKEN.*\.pixy/token"):
        Client()


def test_client_with_an_empty_token_file_says_what_to_do(folder: Path) -> None:
    """An empty file is no token."""
    (folder / ".pixy" / "token").touch()

    with pytest.raises(MissingTokenError):
        Client()


def test_client_with_a_token_file_that_is_no_text_fails(folder: Path) -> None:
    """What cannot be read is said, not sent."""
    (folder / ".pixy" / "token").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="cannot be read"):
        Client()


def test_client_for_another_machine_leaves_the_file_alone(folder: Path) -> None:
    """The token of a local server is not for others."""
    (folder / ".pixy" / "token").write_text("left-by-the-server")

    with pytest.raises(MissingTokenError):
        ClientSettings.from_environment({}, target="pixy.example:1", insecure=True)
