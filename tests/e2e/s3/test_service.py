"""A server in processes of its own whose images are in a bucket."""

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixy_grpc.core.exceptions import CreationInProgressError, RecordNotFoundError
from pixy_grpc.preparation import prepare
from pixy_grpc.settings import SettingsError
from tests.support.lossy_proxy import Proxy, proxy
from tests.support.process import ServeProcess, serving, wait_until
from tests.support.seaweedfs import KEY_ID, SECRET, Bare, shared_seaweedfs
from tests.support.server import settings_for

EVERY_ATTEMPT = 3
"""How often obstore asks within one put."""


@pytest.fixture
def own() -> Bare:
    """Lend a part of the bucket of the test's own."""
    return Bare(shared_seaweedfs())


@pytest.fixture
def between(own: Bare) -> Iterator[Proxy]:
    """Stand between the service and its bucket."""
    with proxy(own.server.port) as standing:
        yield standing


def environment(bare: Bare, endpoint: str = "") -> dict[str, str]:
    """Return the settings of a process, by their names outside."""
    settings = {**bare.settings, **({"aws_endpoint_url": endpoint} if endpoint else {})}
    images = {"PIXY_IMAGES": settings.pop("images")}
    return images | {name.upper(): value for name, value in settings.items()}


def require_discreet(process: ServeProcess) -> None:
    """Fail where the log tells what no log may."""
    text = "\n".join(process.lines)
    assert SECRET not in text
    assert KEY_ID not in text
    assert "Traceback" not in text


def test_image_in_a_bucket_is_created_read_and_deleted(own: Bare, tmp_path: Path) -> None:
    """By spawned workers; on disk there is nothing of it, and in the end nowhere."""
    with (
        serving(tmp_path, PIXY_WORKERS="2", **environment(own)) as process,
        process.server.client() as client,
    ):
        image = client.create("a lighthouse", size="256x256").image
        (mark, name) = own.names()

        read = client.read(image.guid)
        part = client.read(image.guid, 100, 50)

        assert read.verified
        assert hashlib.sha256(own.read(name)).hexdigest() == image.sha256
        assert (read.data, part.data) == (own.read(name), own.read(name)[100:150])
        client.delete(image.guid)
        with pytest.raises(RecordNotFoundError):
            client.read(image.guid)
        assert own.names() == [mark]
        assert not (tmp_path / "images").exists()
        assert process.stop() == 0
    require_discreet(process)


def test_creation_whose_puts_answers_are_lost_is_stored_once(
    own: Bare, between: Proxy, tmp_path: Path
) -> None:
    """The service stores it again, finds its own bytes, and the caller gets the image."""
    request_id = str(uuid.uuid4())
    with (
        serving(tmp_path, **environment(own, between.endpoint)) as process,
        process.server.client() as client,
    ):
        between.lose_answers(EVERY_ATTEMPT)

        try:
            client.create("a lighthouse", size="256x256", request_id=request_id)
        except CreationInProgressError:
            wait_until(lambda: between.requests.count("PUT") > EVERY_ATTEMPT, "it is stored")
        made = client.create("a lighthouse", size="256x256", request_id=request_id)

        assert made.replayed
        assert client.read(made.image.guid).verified
        assert len(own.names()) == 2


def test_start_on_another_services_bucket_is_refused(own: Bare, tmp_path: Path) -> None:
    """Database and bucket carry one id, or the start says in one line that they do not."""
    settings = settings_for(tmp_path, **own.settings)
    prepare(settings)
    own.write(".pixy-store", b"another-id")

    with pytest.raises(SettingsError, match="PIXY_IMAGES and PIXY_DATABASE_URL") as refused:
        prepare(settings)

    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"aws_secret_access_key": "never-shown-1234"}, "403 Forbidden"),
        ({"images": "s3://missing/images"}, "404 Not Found NoSuchBucket"),
        ({"aws_endpoint_url": "http://127.0.0.1:1"}, "Connection refused"),
    ],
    ids=["wrong secret", "no such bucket", "nobody listens"],
)
def test_start_on_an_unusable_bucket_ends_with_one_line(
    own: Bare, tmp_path: Path, changes: dict[str, str], cause: str
) -> None:
    """It names the setting and the cause, and no secret."""
    with pytest.raises(SettingsError, match=r"^PIXY_IMAGES: .*\(.*\)$") as refused:
        prepare(settings_for(tmp_path, **{**own.settings, **changes}))

    line = str(refused.value)
    assert cause in line
    assert line.isprintable()
    assert "never-shown-1234" not in line
    assert KEY_ID not in line
