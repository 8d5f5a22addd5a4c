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


def test_client_with_an_empty_token_file_names_it(folder: Path) -> None:
    """An empty file is no token, and not the same as none."""
    (folder / ".pixy" / "token").touch()

    with pytest.raises(MissingTokenError, match=f"{folder}/.pixy/token is empty"):
        Client()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"two words", "na\u00efve".encode()])
def test_client_with_a_token_file_that_holds_no_token_names_it(
    folder: Path, content: bytes
) -> None:
    """What no header carries is said, not sent; and not of a variable that is not set."""
    (folder / ".pixy" / "token").write_bytes(content)

    with pytest.raises(SettingsError, match=f"from {folder}/.pixy/token holds a character"):
        Client()


def test_client_with_a_token_file_that_cannot_be_read_names_it(folder: Path) -> None:
    """And says why."""
    (folder / ".pixy" / "token").mkdir()

    with pytest.raises(SettingsError, match=f"{folder}/.pixy/token cannot be read: Is a dir"):
        Client()


def test_client_with_an_unusable_token_of_the_environment_names_the_variable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although there is a file."""
    (folder / ".pixy" / "token").write_text("left-by-the-server")
    monkeypatch.setenv("PIXY_TOKEN", "two words")

    with pytest.raises(SettingsError, match="from PIXY_TOKEN holds a character"):
        Client()


def test_client_for_another_machine_leaves_the_file_alone(folder: Path) -> None:
    """The token of a local server is not for others."""
    (folder / ".pixy" / "token").write_text("left-by-the-server")

    with pytest.raises(MissingTokenError):
        ClientSettings.from_environment({}, target="pixy.example:1", insecure=True)
