"""The settings of a client are checked before anything is sent."""

import math

import pytest

from pixy_client import ClientSettings, MissingTokenError, SettingsError
from pixy_client.settings import check_timeout

ENVIRONMENT = {"PIXY_TARGET": "localhost:7", "PIXY_TOKEN": " from-environment\n"}


def test_from_environment_reads_target_and_token() -> None:
    """What is not given is taken from the environment."""
    settings = ClientSettings.from_environment(ENVIRONMENT)

    assert (settings.target, settings.token) == ("localhost:7", "from-environment")


def test_from_environment_prefers_what_is_given() -> None:
    """An argument beats the environment."""
    settings = ClientSettings.from_environment(ENVIRONMENT, target="127.0.0.1:8", token="given")

    assert (settings.target, settings.token) == ("127.0.0.1:8", "given")


def test_from_environment_without_target_takes_the_default() -> None:
    """A server told nothing and a client told nothing meet."""
    settings = ClientSettings.from_environment({"PIXY_TOKEN": "t", "PIXY_TARGET": ""})

    assert settings.target == "127.0.0.1:50051"


def test_from_environment_without_token_for_another_machine_fails() -> None:
    """The token file is for servers of this machine; elsewhere one has to be named."""
    with pytest.raises(MissingTokenError, match="PIXY_TOKEN"):
        ClientSettings.from_environment({"PIXY_TARGET": "pixy.example:1", "PIXY_INSECURE": "1"})


def test_settings_off_loopback_are_refused() -> None:
    """A token does not leave the machine in plain text unasked."""
    with pytest.raises(SettingsError, match="PIXY_INSECURE"):
        ClientSettings("pixy.example:1", "t")


@pytest.mark.parametrize("value", ["1", "true"])
def test_from_environment_with_insecure_allows_another_machine(value: str) -> None:
    """Who says so may send it."""
    environment = {"PIXY_TARGET": "pixy.example:1", "PIXY_TOKEN": "t", "PIXY_INSECURE": value}

    settings = ClientSettings.from_environment(environment)

    assert settings.insecure


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_from_environment_with_insecure_off_refuses_another_machine(value: str) -> None:
    """Only a yes is a yes."""
    environment = {"PIXY_TARGET": "pixy.example:1", "PIXY_TOKEN": "t", "PIXY_INSECURE": value}

    with pytest.raises(SettingsError):
        ClientSettings.from_environment(environment)


@pytest.mark.parametrize("token", ["two words", "naïve", "line\nbreak"])
def test_settings_with_a_token_no_header_carries_are_refused(token: str) -> None:
    """The text does not show the token."""
    with pytest.raises(SettingsError) as caught:
        ClientSettings("localhost:1", token)

    assert token not in caught.value.message


def test_representation_of_settings_hides_the_token() -> None:
    """A logged setting gives nothing away."""
    shown = repr(ClientSettings("localhost:1", "secret"))

    assert "secret" not in shown


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf, 1e9])
def test_check_of_a_timeout_nobody_can_wait_for_fails(seconds: float) -> None:
    """A deadline is a positive, finite number of seconds."""
    with pytest.raises(SettingsError, match="timeout"):
        check_timeout(seconds)


@pytest.mark.parametrize("target", ["127.0.0.1", "localhost:99999", "http://127.0.0.1:50051"])
def test_settings_with_a_target_that_is_none_are_refused(target: str) -> None:
    """Wherever it comes from, and before a token is looked for."""
    with pytest.raises(SettingsError, match="HOST:PORT"):
        ClientSettings(target, "t", insecure=True)
    with pytest.raises(SettingsError, match="PIXY_TARGET takes HOST:PORT"):
        ClientSettings.from_environment({"PIXY_TARGET": target})
    with pytest.raises(SettingsError, match="The target takes HOST:PORT"):
        ClientSettings.from_environment({"PIXY_TARGET": "localhost:1"}, target=target)
