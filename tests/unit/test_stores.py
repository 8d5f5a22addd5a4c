"""The store that the settings name, and what keeps it from being used."""

import sys
from pathlib import Path

import pytest

from pixy_grpc.data.folder import FolderStore
from pixy_grpc.data.s3.store import S3Store
from pixy_grpc.settings import Settings, SettingsError
from pixy_grpc.stores import open_store
from tests.support.settings import OwnSettings

SECRET = "never-shown-1234"

BUCKET: dict[str, object] = {
    "images": "s3://bucket/prefix",
    "aws_access_key_id": "a-key",
    "aws_secret_access_key": SECRET,
    "aws_endpoint_url": "",
}

REFUSED = {
    "no key": ({"aws_access_key_id": ""}, "AWS_ACCESS_KEY_ID"),
    "no secret": ({"aws_secret_access_key": ""}, "AWS_SECRET_ACCESS_KEY"),
    "no URL": ({"aws_endpoint_url": "127.0.0.1:9000"}, "AWS_ENDPOINT_URL"),
    "another scheme": ({"aws_endpoint_url": "ftp://127.0.0.1"}, "AWS_ENDPOINT_URL"),
    "no host": ({"aws_endpoint_url": "https://"}, "AWS_ENDPOINT_URL"),
    "a key in the URL": ({"aws_endpoint_url": f"https://k:{SECRET}@s3.test"}, "AWS_ENDPOINT_URL"),
    "in the clear": ({"aws_endpoint_url": "http://s3.test"}, "PIXY_INSECURE=1"),
}

USED = {
    "Amazon's": {},
    "another": {"aws_endpoint_url": "https://s3.test"},
    "on loopback": {"aws_endpoint_url": "http://127.0.0.1:9000"},
    "in the clear, as is said": {"aws_endpoint_url": "http://s3.test", "insecure": True},
}


def settings(**fields: object) -> Settings:
    return OwnSettings.model_validate({**BUCKET, **fields})


def test_folder_is_opened_as_one(tmp_path: Path) -> None:
    store = open_store(settings(images=str(tmp_path / "images")))

    assert isinstance(store, FolderStore)
    assert store.root == tmp_path / "images"


@pytest.mark.parametrize("changes", USED.values(), ids=USED)
def test_bucket_is_opened_as_one(changes: dict[str, object]) -> None:
    """Nothing is connected: none of these is there."""
    assert isinstance(open_store(settings(**changes)), S3Store)


@pytest.mark.parametrize(("changes", "name"), REFUSED.values(), ids=REFUSED)
def test_bucket_that_cannot_be_used_is_refused(changes: dict[str, object], name: str) -> None:
    """In one line that names the setting, and shows no secret."""
    with pytest.raises(SettingsError) as caught:
        open_store(settings(**changes))

    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_bucket_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is an extra: who keeps images in a folder needs it not."""
    monkeypatch.setitem(sys.modules, "obstore", None)

    with pytest.raises(SettingsError, match=r"obstore.*'make setup'.*extra s3"):
        open_store(settings())
    open_store(settings(images="images"))


def test_settings_show_no_key() -> None:
    assert SECRET not in repr(settings(aws_session_token=SECRET))
    assert "a-key" not in repr(settings())
