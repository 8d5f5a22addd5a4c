"""What names stored bytes: the guid of their image, a dot, and whatever tells attempts apart."""

import re
import uuid

KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}(\.[0-9a-z]+)+", re.ASCII)
"""A key of bytes that this version stores."""

_BESIDE = re.compile(r"\.[0-9a-f]{8}\Z", re.ASCII)


def guid_of(key: str) -> str:
    """Return the guid that a key begins with, empty where it begins with none."""
    return key.partition(".")[0] if "." in key else ""


def beside(key: str) -> str:
    """Return a key that nothing has yet, for other bytes of this one: it begins likewise."""
    return f"{key}.{uuid.uuid4().hex[:8]}"


def origin_of(key: str) -> str:
    """Return the key that `beside` was given for this one, else the key itself."""
    origin = _BESIDE.sub("", key)
    return origin if KEY.fullmatch(origin) else key
