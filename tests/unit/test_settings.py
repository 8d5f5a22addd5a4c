"""The settings: what is taken, what is refused, and that no refusal shows a secret."""

from pathlib import Path

import pytest

from pixy_grpc.settings import Settings, SettingsError, load_settings, name_of
from tests.support.settings import OwnSettings

SECRET = "never-shown-1234"

DEFAULTS = {
    "listen": "127.0.0.1:50051",
    "database_url": "sqlite:///pixy.db",
    "images": "./images",
    "renditions": ".pixy/renditions",
    "renditions_mb": 256,
    "generator": "sketch",
    "tokens": {},
    "workers": 1,
    "reflection": True,
}

GOOD = {
    "a port of the system's choice": ("PIXY_LISTEN", "127.0.0.1:0", "port", 0),
    "loopback by name": ("PIXY_LISTEN", "localhost:1", "host", "localhost"),
    "loopback of IPv6": ("PIXY_LISTEN", "[::1]:65535", "host", "::1"),
    "another loopback": ("PIXY_LISTEN", "127.8.9.10:1", "host", "127.8.9.10"),
    "one token": ("PIXY_TOKENS", f"a={SECRET}", "tokens", {"a": SECRET}),
    "two tokens": (
        "PIXY_TOKENS",
        f" a={SECRET}, b={SECRET}2,",
        "tokens",
        {"a": SECRET, "b": f"{SECRET}2"},
    ),
    "a token with =": ("PIXY_TOKENS", f"a={SECRET}==", "tokens", {"a": f"{SECRET}=="}),
    "no token": ("PIXY_TOKENS", "", "tokens", {}),
    "workers": ("PIXY_WORKERS", "64", "workers", 64),
    "a room": ("PIXY_MAX_READS", "2", "max_reads", 2),
    "an absolute database": (
        "PIXY_DATABASE_URL",
        "sqlite:////var/x.db",
        "database_file",
        Path("/var/x.db"),
    ),
    "a relative database": ("PIXY_DATABASE_URL", "sqlite:///x.db", "database_file", Path("x.db")),
    "a folder": ("PIXY_IMAGES", "/srv/images", "images", "/srv/images"),
    "openai": ("PIXY_GENERATOR", "openai", "generator", "openai"),
    "a key": ("OPENAI_API_KEY", SECRET, "openai_api_key", SECRET),
    "an endpoint": ("OPENAI_BASE_URL", "http://h/v1", "openai_base_url", "http://h/v1"),
    "an organization": ("OPENAI_ORG_ID", "org", "openai_organization", "org"),
    "a project": ("OPENAI_PROJECT_ID", "proj", "openai_project", "proj"),
    "image hosts": (
        "PIXY_OPENAI_IMAGE_HOSTS",
        " a.test, b.test:8443,",
        "openai_image_hosts",
        frozenset({"a.test", "b.test:8443"}),
    ),
    "a compression": ("PIXY_OPENAI_COMPRESSION", "80", "openai_compression", 80),
    "no compression": ("PIXY_OPENAI_COMPRESSION", "", "openai_compression", None),
    "a bucket": ("PIXY_IMAGES", "s3://pixy", "images", "s3://pixy"),
    "a prefix in a bucket": (
        "PIXY_IMAGES",
        "s3://pixy.x/a/b-c_d/",
        "images",
        "s3://pixy.x/a/b-c_d/",
    ),
    "a key by its usual name": ("AWS_ACCESS_KEY_ID", SECRET, "aws_access_key_id", SECRET),
    "its secret": ("AWS_SECRET_ACCESS_KEY", SECRET, "aws_secret_access_key", SECRET),
    "its token": ("AWS_SESSION_TOKEN", SECRET, "aws_session_token", SECRET),
    "a region": ("AWS_REGION", "eu-west-1", "aws_region", "eu-west-1"),
    "another region": ("AWS_DEFAULT_REGION", "eu-west-1", "aws_default_region", "eu-west-1"),
    "an endpoint of buckets": (
        "AWS_ENDPOINT_URL",
        "https://s3.test",
        "aws_endpoint_url",
        "https://s3.test",
    ),
    "no renditions": ("PIXY_RENDITIONS_MB", "0", "renditions_mb", 0),
    "no reflection": ("PIXY_REFLECTION", "0", "reflection", False),
    "an empty setting of later": ("PIXY_TLS_CERT", "", "tls_cert", ""),
}

BAD = {
    "no port": {"PIXY_LISTEN": "127.0.0.1"},
    "no host": {"PIXY_LISTEN": ":50051"},
    "a port past the last": {"PIXY_LISTEN": "127.0.0.1:65536"},
    "a port in other digits": {"PIXY_LISTEN": "127.0.0.1:\u0665"},
    "bare IPv6": {"PIXY_LISTEN": "::1:50051"},
    "a word for a port": {"PIXY_LISTEN": f"127.0.0.1:{SECRET}"},
    "every address": {"PIXY_LISTEN": "0.0.0.0:50051"},
    "every address of IPv6": {"PIXY_LISTEN": "[::]:50051"},
    "a host of elsewhere": {"PIXY_LISTEN": "example.org:50051"},
    "an unknown generator": {"PIXY_GENERATOR": SECRET},
    "a token without name": {"PIXY_TOKENS": SECRET},
    "an empty name": {"PIXY_TOKENS": f"={SECRET}"},
    "a name with a space": {"PIXY_TOKENS": f"a b={SECRET}"},
    "a short token": {"PIXY_TOKENS": f"a={SECRET[:7]}"},
    "a long token": {"PIXY_TOKENS": f"a={SECRET * 40}"},
    "a token with a space": {"PIXY_TOKENS": f"a={SECRET} {SECRET}"},
    "a token of other letters": {"PIXY_TOKENS": f"a={SECRET}\u00e9"},
    "a name twice": {"PIXY_TOKENS": f"a={SECRET},a={SECRET}2"},
    "a token twice": {"PIXY_TOKENS": f"a={SECRET},b={SECRET}"},
    "no workers": {"PIXY_WORKERS": "0"},
    "too many workers": {"PIXY_WORKERS": "65"},
    "a word for workers": {"PIXY_WORKERS": SECRET},
    "a room for one": {"PIXY_MAX_READS": "1"},
    "a room for none": {"PIXY_MAX_CREATES": "0"},
    "a room without end": {"PIXY_MAX_DOWNLOADS": "100000"},
    "no time to read": {"PIXY_STALL_SECONDS": "0.5"},
    "no number": {"PIXY_STALL_SECONDS": "nan"},
    "a negative grace": {"PIXY_GRACE_SECONDS": "-1"},
    "no bucket": {"PIXY_IMAGES": "s3://"},
    "a bucket with a key": {"PIXY_IMAGES": f"s3://key:{SECRET}@bucket/prefix"},
    "a bucket in capitals": {"PIXY_IMAGES": "s3://Bucket"},
    "a prefix that climbs": {"PIXY_IMAGES": "s3://bucket/../other"},
    "a prefix with a gap": {"PIXY_IMAGES": "s3://bucket/a//b"},
    "a query": {"PIXY_IMAGES": f"s3://bucket/a?secret={SECRET}"},
    "an unknown level": {"PIXY_LOG_LEVEL": "LOUD"},
    "an unknown database": {"PIXY_DATABASE_URL": f"oracle://u:{SECRET}@h/x"},
    "a database without file": {"PIXY_DATABASE_URL": "sqlite:///"},
    "two slashes": {"PIXY_DATABASE_URL": "sqlite://x.db"},
    "no database": {"PIXY_DATABASE_URL": ""},
    "an unknown store": {"PIXY_IMAGES": f"ftp://u:{SECRET}@h/x"},
    "no store": {"PIXY_IMAGES": ""},
    "an unknown profile": {"PIXY_OPENAI_PROFILE": SECRET},
    "a compression that is none": {"PIXY_OPENAI_COMPRESSION": SECRET},
    "a grace shorter than an exchange": {
        "PIXY_CREATE_GRACE_SECONDS": "9",
        "PIXY_OPENAI_SECONDS": "10",
        "PIXY_GENERATOR": "openai",
    },
    "no folder of renditions": {"PIXY_RENDITIONS": ""},
    "less than no renditions": {"PIXY_RENDITIONS_MB": "-1"},
    "renditions without end": {"PIXY_RENDITIONS_MB": "2000000"},
    "a certificate": {"PIXY_TLS_CERT": SECRET},
    "a key": {"PIXY_TLS_KEY": SECRET},
    "a client authority": {"PIXY_TLS_CLIENT_CA": SECRET},
    "a file of keys": {"PIXY_KEYS_FILE": SECRET},
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Load in a folder and an environment that hold no settings."""
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields:
        monkeypatch.delenv(name_of(field), raising=False)


def test_load_without_settings_gives_defaults() -> None:
    """Nothing has to be set."""
    settings = load_settings()

    assert settings.model_dump(include=set(DEFAULTS)) == DEFAULTS


@pytest.mark.parametrize(("name", "value", "field", "expected"), GOOD.values(), ids=GOOD)
def test_load_good_setting_gives_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, field: str, expected: object
) -> None:
    """What the README promises is taken."""
    monkeypatch.setenv(name, value)

    settings = load_settings()

    assert getattr(settings, field) == expected


@pytest.mark.parametrize("given", BAD.values(), ids=BAD)
def test_load_bad_setting_names_it_alone(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    """One line with the setting's name; not a part of its value, and no other secret."""
    for name, value in {"PIXY_TOKENS": f"other={SECRET}9", **given}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as refused:
        load_settings()

    assert next(iter(given)) in str(refused.value)
    assert SECRET[:7] not in str(refused.value)
    assert str(refused.value).isprintable()
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_load_off_loopback_needs_insecure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever protects tokens otherwise has to say so."""
    monkeypatch.setenv("PIXY_LISTEN", "0.0.0.0:50051")
    monkeypatch.setenv("PIXY_INSECURE", "1")

    settings = load_settings()

    assert (settings.host, settings.port) == ("0.0.0.0", 50051)  # noqa: S104 - what is tested


def test_load_reads_dotenv_below_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file sets what the environment leaves open; what is not ours is left alone."""
    (tmp_path / ".env").write_text("PIXY_WORKERS=3\nPIXY_IMAGES=from-file\nOTHER=1\n")
    monkeypatch.setenv("PIXY_WORKERS", "2")

    settings = load_settings()

    assert (settings.workers, settings.images) == (2, "from-file")


@pytest.mark.parametrize("content", [b"PIXY_IMAGES=caf\xe9", b"\xff\xfe"])
def test_load_dotenv_in_other_encoding_says_so(tmp_path: Path, content: bytes) -> None:
    """It is told as a setting that cannot be used."""
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(SettingsError, match=r"\.env is not UTF-8"):
        load_settings()


def test_settings_made_by_hand_are_checked_too() -> None:
    """A value given in code is held to the same rules."""
    settings = OwnSettings(tokens={"a": SECRET}, workers=2)

    assert settings.tokens == {"a": SECRET}
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        OwnSettings(workers=0)


def test_settings_do_not_show_tokens() -> None:
    """A settings object that reaches a log shows no token and no key."""
    settings = OwnSettings(tokens={"a": SECRET}, openai_api_key=SECRET)

    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
