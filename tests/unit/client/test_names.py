"""No text of a server chooses a path."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixy_client.names import candidate_names, is_misnamed, safe_name
from tests.unit.client.images import GUID, image_of


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("a red fox.png", "a red fox.png"),
        ("лиса 狐.webp", "лиса 狐.webp"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\fox.png", "fox.png"),
        ("/", ""),
        ("..", ""),
        (".bashrc", "bashrc"),
        ("fox.png. . ", "fox.png"),
        ("fox\x1b[31m\n\u202e.png", "fox[31m.png"),
        ('a<b>c:d"e|f?g*.png', "abcdefg.png"),
        ("NUL.png", "_NUL.png"),
        ("com1", "_com1"),
        ("-rf.png", "rf.png"),
        ("--.- -x.png", "x.png"),
        ("a-b-.png", "a-b-.png"),
        ("", ""),
    ],
)
def test_safe_name_keeps_a_plain_name(label: str, name: str) -> None:
    """Neither a folder, nor hidden, nor an order to a terminal."""
    made = safe_name(label)

    assert made == name


def test_safe_name_of_a_long_label_keeps_its_extension() -> None:
    """255 characters may be four times as many bytes, which no file system takes."""
    made = safe_name("狐" * 250 + ".png")

    assert made.endswith("狐.png")
    assert len(made.encode()) <= 180


def test_safe_name_with_a_long_extension_is_cut_all_the_same() -> None:
    """What follows the last dot may be the whole label."""
    made = safe_name("a." + "b" * 250)

    assert len(made) == 180


@given(st.text())
def test_safe_name_of_any_text_is_one_plain_name(label: str) -> None:
    """Whatever the text is."""
    made = safe_name(label)

    assert not set(made) & set('/\\:\0\n<>"|?*')
    assert not made.startswith((".", "-"))
    assert not made.endswith((".", " "))
    assert len(made.encode()) <= 181


def test_candidate_names_never_end() -> None:
    """Labels are unique to nothing: the guid, then a number, tells files apart."""
    names = tuple(itertools.islice(candidate_names(image_of()), 4))

    assert names == (
        "a-red-fox.png",
        f"a-red-fox-{GUID}.png",
        f"a-red-fox-{GUID}-2.png",
        f"a-red-fox-{GUID}-3.png",
    )


def test_candidate_names_of_an_unusable_label_begin_with_a_word() -> None:
    """A file has a name even where nothing of the label is left."""
    names = candidate_names(image_of(filename=".."))

    assert next(names) == "image.png"


@pytest.mark.parametrize(
    ("label", "content_type", "name"),
    [
        ("Makefile", "image/png", "Makefile.png"),
        ("fox.PNG", "image/png", "fox.PNG"),
        ("fox.jpeg", "image/jpeg", "fox.jpeg"),
        ("fox.png", "image/jpeg", "fox.png.jpg"),
        ("setup.py", "image/webp", "setup.py.webp"),
        ("old.webp", "", "old.webp"),
        ("setup.py", "", "setup.py.bin"),
        ("Makefile", "text/plain", "Makefile.bin"),
    ],
)
def test_candidate_names_end_as_their_content_type_does(
    label: str, content_type: str, name: str
) -> None:
    """No server leaves a file that a program takes for its own."""
    names = candidate_names(image_of(filename=label, content_type=content_type))

    assert next(names) == name


@pytest.mark.parametrize(
    ("name", "content_type", "expected"),
    [
        ("fox.png", "image/png", False),
        ("fox.PNG", "image/jpeg", True),
        ("fox.jpg", "image/jpeg", False),
        ("fox.jpeg", "image/jpeg", False),
        ("fox.jpeg", "image/webp", True),
        ("fox", "image/png", False),
        ("fox.bin", "image/png", False),
        ("fox.png", "", False),
    ],
)
def test_name_of_another_kind_of_image_is_a_misnomer(
    name: str, content_type: str, *, expected: bool
) -> None:
    """A name that says nothing of images says nothing false."""
    assert is_misnamed(name, content_type) is expected


@pytest.mark.parametrize(
    ("label", "content_type", "max_side", "name"),
    [
        ("fox.png", "image/png", 256, "fox-256.png"),
        ("fox.png", "image/jpeg", 256, "fox-256.jpg"),
        ("fox.png", "image/jpeg", 0, "fox.jpg"),
        ("fox.JPEG", "image/jpeg", 0, "fox.jpg"),
        ("Makefile", "image/webp", 1024, "Makefile-1024.webp"),
        ("setup.py", "image/webp", 0, "setup.py.webp"),
        ("..", "image/png", 128, "image-128.png"),
        ("x" * 200 + ".png", "image/png", 128, "x" * 176 + "-128.png"),
    ],
)
def test_candidate_names_of_a_rendition_tell_it_from_the_original(
    label: str, content_type: str, max_side: int, name: str
) -> None:
    """Both may be in one folder, and neither is named as what it is not."""
    image = image_of(filename=label, content_type=content_type)

    names = tuple(itertools.islice(candidate_names(image, max_side), 2))

    stem, _, extension = name.rpartition(".")
    assert names == (name, f"{stem}-{GUID}.{extension}")
