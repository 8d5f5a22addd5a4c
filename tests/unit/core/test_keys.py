"""Keys: what they begin with, and what stands beside them."""

import pytest

from pixy_grpc.core.keys import KEY, beside, guid_of, origin_of

GUID = "0a1b2c3d-0000-4000-8000-000000000000"


@pytest.mark.parametrize("key", [f"{GUID}.1.png", f"{GUID}.0123abcd.webp", f"{GUID}.0123abcd"])
def test_key_beside_leads_back_to_its_own(key: str) -> None:
    """It is a key too, of the same image, and there is always another."""
    other = beside(key)

    assert KEY.fullmatch(other)
    assert guid_of(other) == GUID
    assert origin_of(other) == key
    assert beside(key) != other


@pytest.mark.parametrize("key", [f"{GUID}.1.png", f"{GUID}.0123abcd", "notes.0123abcd", ""])
def test_key_that_stands_beside_none_is_its_own(key: str) -> None:
    assert origin_of(key) == key
