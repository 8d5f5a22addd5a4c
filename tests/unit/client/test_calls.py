"""Calls are described once: their requests hold what was asked for."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from pixy_client import ImageFormat, UnreadableAnswerError, calls
from pixy_client.channel import REPEATABLE_METHODS, channel_options, service_config
from pixy_client.conversion import to_image, to_part
from pixy_client.settings import ClientSettings
from pixy_grpc.core.exceptions import InvalidFormatError
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.unit.client.images import GUID

SERVICE = pb.DESCRIPTOR.services_by_name["ImageService"]


def test_description_of_a_creation_holds_every_field() -> None:
    """Nothing that was asked for is lost on the way."""
    call = calls.create(
        "A fox", filename="fox.png", size="64x64", quality="high", format="webp", request_id="r"
    )

    assert call.build() == pb.CreateImageRequest(
        prompt="A fox",
        filename="fox.png",
        size="64x64",
        quality="high",
        format=pb.IMAGE_FORMAT_WEBP,
        request_id="r",
    )


def test_description_of_a_creation_makes_a_request_id() -> None:
    """A creation is never without one, and builds the same request each time."""
    first, second = calls.create("A fox"), calls.create("A fox")

    assert UUID(first.request_id).version == 4
    assert first.request_id != second.request_id
    assert first.build().request_id == first.build().request_id == first.request_id


def test_description_of_a_creation_that_is_told_of_holds_the_same_request() -> None:
    """Either call may repeat the other: by one request id, for the same content."""
    creation = calls.create("A fox", size="64x64", format="png")

    told = calls.create_stream(creation, 2)

    assert told.request_id == creation.request_id
    assert told.build() == pb.CreateImageStreamRequest(creation=creation.build(), partial_images=2)


def test_reading_of_what_only_a_later_version_tells_is_nothing() -> None:
    """An older client passes over it."""
    told = calls.create_stream(calls.create("A fox"), 0)

    assert told.read(pb.CreateImageStreamResponse()) is None


def test_description_of_a_creation_takes_a_uuid() -> None:
    """A request id is text or a UUID."""
    chosen = UUID(GUID)

    call = calls.create("A fox", request_id=chosen)

    assert call.request_id == GUID


def test_description_of_a_creation_in_an_unknown_format_is_refused() -> None:
    """The text names the formats there are."""
    call = calls.create("A fox", format="gif")

    with pytest.raises(InvalidFormatError, match="png, jpeg, webp"):
        call.build()


@pytest.mark.parametrize("chosen", ImageFormat)
def test_description_of_a_creation_knows_every_format(chosen: ImageFormat) -> None:
    """A format of the models is one of the contract."""
    request = calls.create("A fox", format=chosen).build()

    assert pb.ImageFormat.Name(request.format) == f"IMAGE_FORMAT_{chosen.name}"


def test_description_of_a_list_holds_every_filter() -> None:
    """A moment without a zone counts as UTC, one with a zone is the same moment."""
    listing = calls.Listing(
        prompt="fox",
        filename="a",
        created_after=datetime(2026, 1, 1),  # noqa: DTZ001 - a naive one is the point
        created_before=datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        page_size=7,
    )
    midnight = Timestamp()
    midnight.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))

    request = calls.list_page(listing, "next").build()

    assert request == pb.ListImageDetailsRequest(
        prompt="fox",
        filename="a",
        created_after=midnight,
        created_before=midnight,
        page_size=7,
        page_token="next",
    )


def test_description_of_a_change_leaves_out_what_stays() -> None:
    """Absent and empty are two things."""
    request = calls.update(GUID, None, "").build()

    assert not request.HasField("filename")
    assert request.HasField("prompt")


def test_descriptions_name_every_method_of_the_service() -> None:
    """A method of the contract without a description would not be callable."""
    described = {
        calls.create("x").method,
        calls.create_stream(calls.create("x"), 0).method,
        calls.get(GUID).method,
        calls.list_page(calls.Listing(), "").method,
        calls.read(calls.Reading(GUID)).method,
        calls.update(GUID, None, None).method,
        calls.delete(GUID, allow_missing=False).method,
    }

    assert described == set(SERVICE.methods_by_name)


def test_reading_of_an_answer_without_an_image_fails() -> None:
    """Empty details are no image."""
    with pytest.raises(UnreadableAnswerError):
        to_image(pb.ImageDetails())


def test_reading_of_a_part_that_is_both_fails() -> None:
    """The first message holds no data."""
    both = pb.GetImageBytesResponse(details=pb.ImageDetails(guid=GUID), data=b"abc")

    with pytest.raises(UnreadableAnswerError, match="at once"):
        to_part(both)


def test_reading_of_a_part_tells_data_from_the_image() -> None:
    """A message of a stream is one or the other."""
    data = to_part(pb.GetImageBytesResponse(data=b"abc"))

    assert data == b"abc"


def test_retries_leave_out_the_removal_alone() -> None:
    """A second removal after a lost answer would be told NOT_FOUND."""
    config = service_config()

    assert set(SERVICE.methods_by_name) - set(REPEATABLE_METHODS) == {"DeleteImage"}
    assert "DeleteImage" not in config


@pytest.mark.parametrize(("target", "proxies"), [("localhost:1", 0), ("pixy.example:1", 1)])
def test_options_keep_a_local_target_off_proxies(target: str, proxies: int) -> None:
    """A proxy of the environment does not get to see the token of a local server."""
    options = dict(channel_options(ClientSettings(target, "t", insecure=True)))

    assert options["grpc.enable_http_proxy"] == proxies


def test_options_ping_no_more_than_servers_allow() -> None:
    """Pinged more often than once a minute, a server says goodbye."""
    options = dict(channel_options(ClientSettings("localhost:1", "t")))

    assert int(options["grpc.keepalive_time_ms"]) >= 60_000
