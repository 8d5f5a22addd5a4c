"""Messages into what the service takes, and models into messages."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from pixy_grpc.core.exceptions import InvalidFormatError, InvalidTimeRangeError
from pixy_grpc.core.models import Image, ImageFormat
from pixy_grpc.core.search import ImageFilter
from pixy_grpc.service.catalogue import ImagePage
from pixy_grpc.service.creation import CreatedImage
from pixy_grpc.service.delivery import ByteRange, Delivery, WantedBytes
from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.web import conversion

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

IMAGE = Image(
    guid="00000000-0000-4000-8000-000000000000",
    filename="fox.png",
    prompt="a fox",
    created_at=NOON,
    updated_at=NOON + SECOND,
    content_type="image/png",
    size_bytes=2**40,
    sha256="ab" * 32,
    width=640,
    height=480,
    generator="sketch",
    model="m",
)


def test_details_hold_every_field_of_the_image() -> None:
    """No field of the contract is forgotten, and none is mixed up with another."""
    message = conversion.details(IMAGE)

    fields = {field.name for field, _ in message.ListFields()}
    assert fields == set(pb.ImageDetails.DESCRIPTOR.fields_by_name) == set(Image.model_fields)
    for name in fields - {"created_at", "updated_at"}:
        assert getattr(message, name) == getattr(IMAGE, name)
    assert message.created_at == Timestamp(seconds=1_795_348_800)
    assert message.updated_at == Timestamp(seconds=1_795_348_801)


def test_details_of_an_older_image_are_empty_where_nothing_is_known() -> None:
    """An image without contents is described by its row alone."""
    known = {"guid", "filename", "prompt", "created_at", "updated_at"}
    older = Image(**{name: getattr(IMAGE, name) for name in known})

    message = conversion.details(older)

    assert {field.name for field, _ in message.ListFields()} == known


def test_creation_request_takes_every_field() -> None:
    """What the caller asked for goes on as it came."""
    message = pb.CreateImageRequest(
        prompt=" p ",
        filename="f",
        request_id="r",
        size="1x1",
        quality="low",
        format=pb.IMAGE_FORMAT_WEBP,
    )

    request = conversion.creation_request(message)

    assert request.image == {"prompt": " p ", "filename": "f"}
    assert request.options == {"size": "1x1", "quality": "low", "format": ImageFormat.WEBP}
    assert request.request_id == "r"


def test_creation_request_without_filename_and_format_leaves_them_open() -> None:
    """Empty is not given: an empty filename of a creation is no filename."""
    request = conversion.creation_request(pb.CreateImageRequest(prompt="p"))

    assert request.image["filename"] is None
    assert request.options["format"] is None


def test_every_format_of_the_contract_is_known() -> None:
    """A format added to the enum cannot be left out here."""
    made = {
        conversion.creation_request(pb.CreateImageRequest(format=number)).options["format"]
        for number in pb.ImageFormat.values()
    }

    assert made == {None, *ImageFormat}


@pytest.mark.parametrize("number", [4, 99, -1])
def test_format_of_another_contract_is_refused(number: int) -> None:
    """The enum is open on the wire, and closed here."""
    with pytest.raises(InvalidFormatError):
        conversion.creation_request(
            pb.CreateImageRequest(prompt="p", format=pb.ImageFormat.ValueType(number))
        )


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        (pb.UpdateImageRequest(), {}),
        (pb.UpdateImageRequest(filename=""), {"filename": ""}),
        (pb.UpdateImageRequest(prompt=""), {"prompt": ""}),
        (pb.UpdateImageRequest(filename="f", prompt="p"), {"filename": "f", "prompt": "p"}),
    ],
)
def test_changes_are_the_fields_that_are_there(
    message: pb.UpdateImageRequest, changes: dict[str, str]
) -> None:
    """Given and empty is not the same as not given."""
    assert conversion.changes(message) == changes


def test_image_filter_without_times_has_none() -> None:
    """An absent time limits nothing; the first of all seconds is a time."""
    empty = conversion.image_filter(pb.ListImageDetailsRequest(prompt="p", filename="f"))
    zero = conversion.image_filter(pb.ListImageDetailsRequest(created_after=Timestamp()))

    assert empty == ImageFilter("p", "f", None, None)
    assert zero.created_after == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("nanos", "later"), [(0, 0), (1, 1), (500_000_000, 1), (999_999_999, 1)])
@pytest.mark.parametrize("field", ["created_after", "created_before"])
def test_fraction_of_a_second_rounds_up(field: str, nanos: int, later: int) -> None:
    """Times are stored in whole seconds: nothing stored lies between one and the next."""
    moment = Timestamp(seconds=1_795_348_800, nanos=nanos)
    request = pb.ListImageDetailsRequest()
    getattr(request, field).CopyFrom(moment)

    sought = conversion.image_filter(request)

    assert getattr(sought, field) == NOON + later * SECOND


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_any_timestamp_is_a_time_or_refused(seconds: int, nanos: int) -> None:
    """Whatever a client sends ends in a time, or in the error that names the field."""
    moment = Timestamp(seconds=seconds, nanos=nanos)
    found, refused = None, []

    try:
        request = pb.ListImageDetailsRequest(created_before=moment)
        found = conversion.image_filter(request).created_before
    except InvalidTimeRangeError as error:
        refused = [each.field for each in error.violations]

    if found:
        assert found.microsecond == 0
        assert 0 <= nanos < 1_000_000_000
    else:
        assert refused == ["created_before"]


def test_answers_hold_what_the_service_returned() -> None:
    """A created image and a page, each in its message."""
    created = conversion.create_response(CreatedImage(IMAGE, replayed=True))
    page = conversion.list_response(ImagePage((IMAGE, IMAGE), "token"))

    assert created.replayed
    assert created.details == conversion.details(IMAGE)
    assert list(page.details) == [conversion.details(IMAGE)] * 2
    assert page.next_page_token == "token"


def test_wanted_bytes_take_every_field() -> None:
    """What is not given is all of the image, as it is."""
    message = pb.GetImageBytesRequest(
        read_offset=-1,
        read_limit=2,
        max_side=7,
        format=pb.IMAGE_FORMAT_JPEG,
        expected_sha256="AB",
    )

    wanted = conversion.wanted_bytes(message)

    assert wanted == WantedBytes(ByteRange(-1, 2), 7, ImageFormat.JPEG, "AB")
    assert conversion.wanted_bytes(pb.GetImageBytesRequest()) == WantedBytes()


def test_bytes_responses_begin_with_details_alone() -> None:
    """Details first, then each chunk as it is; nothing is read before it is asked for."""
    chunks = iter([b"one", b"two"])
    responses = conversion.bytes_responses(Delivery(IMAGE, chunks))

    first = next(responses)

    assert first == pb.GetImageBytesResponse(details=conversion.details(IMAGE))
    assert next(chunks) == b"one"
    assert list(responses) == [b"two"]
