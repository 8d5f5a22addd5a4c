"""The generator that settings name, or one line on why there is none."""

import importlib.util

import pytest

from pixy_grpc.core.exceptions import InvalidSizeError
from pixy_grpc.core.models import GenerationOptions
from pixy_grpc.generators import check_generator, open_generator
from pixy_grpc.settings import Settings, SettingsError
from tests.support.settings import OwnSettings

SECRET = "sk-never-shown-1234"
WHOLE = {"generator": "openai", "openai_model": "a-model", "openai_api_key": SECRET}

REFUSED = {
    "no model": ({"openai_model": ""}, "PIXY_OPENAI_MODEL"),
    "a model of a long name": ({"openai_model": "m" * 256}, "PIXY_GENERATOR=openai: The model"),
    "no key": ({"openai_api_key": ""}, "OPENAI_API_KEY"),
    "a key with a space": ({"openai_api_key": f"{SECRET} "}, "PIXY_GENERATOR=openai"),
    "a key in the clear": ({"openai_base_url": "http://models.test/v1"}, "OPENAI_BASE_URL"),
    "no URL": ({"openai_base_url": "models.test"}, "base URL"),
    "a key in the URL": ({"openai_base_url": f"https://me:{SECRET}@models.test"}, "base URL"),
    "no such size": ({"openai_size": "7x7"}, "1024x1024"),
    "no such background": (
        {"openai_profile": "compatible", "openai_background": "opaque"},
        "background",
    ),
    "no such compression": ({"openai_compression": 101}, "compression"),
    "no host": ({"openai_image_hosts": frozenset({"https://images.test"})}, "image host"),
    "no authorities": ({"openai_ca_file": "no/such.pem"}, "PIXY_OPENAI_CA_FILE"),
}

ODD_SIZE = GenerationOptions(size="640x480")


def settings(**changes: object) -> Settings:
    return OwnSettings.model_validate({**WHOLE, **changes})


@pytest.mark.parametrize(("changes", "named"), REFUSED.values(), ids=REFUSED)
def test_check_of_unusable_settings_says_what_to_mend(
    changes: dict[str, object], named: str
) -> None:
    """The start ends with one line, which shows no key."""
    with pytest.raises(SettingsError) as refused:
        check_generator(settings(**changes))

    assert named in str(refused.value)
    assert SECRET not in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"openai_base_url": "https://models.test/v1"},
        {"openai_base_url": "https://api.openai.com/v1/", "openai_quality": "high"},
        {"openai_base_url": "http://127.0.0.1:8000/v1"},
        {"openai_base_url": "http://localhost:8000/v1"},
        {"openai_base_url": "http://models.test/v1", "insecure": True},
        {"openai_size": "1536x1024", "openai_quality": "high", "openai_format": "webp"},
    ],
)
def test_check_of_usable_settings_passes(changes: dict[str, object]) -> None:
    """A key stays on this machine, travels in TLS, or somebody has said that it may not."""
    check_generator(settings(**changes))


def test_openai_itself_is_asked_for_its_sizes_alone() -> None:
    """Without a base URL the profile is OpenAI's: what it does not make costs no request."""
    generator = open_generator(settings())

    with pytest.raises(InvalidSizeError):
        generator.check(ODD_SIZE)
    generator.close()


def test_other_endpoint_is_asked_for_any_size() -> None:
    """With one it is that of most compatible servers, unless another is named."""
    compatible = open_generator(settings(openai_base_url="https://models.test/v1"))
    named = open_generator(
        settings(openai_base_url="https://models.test/v1", openai_profile="openai")
    )

    compatible.check(ODD_SIZE)
    with pytest.raises(InvalidSizeError):
        named.check(ODD_SIZE)
    compatible.close()
    named.close()


def test_sketch_needs_nothing() -> None:
    """The default asks nobody, whatever else is set."""
    generator = open_generator(OwnSettings(openai_base_url="http://models.test"))

    assert generator.name == "sketch"


def test_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is an extra: a start without it says so."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(SettingsError, match="make setup"):
        check_generator(settings())
