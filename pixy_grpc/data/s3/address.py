"""Where a bucket is and who we are there, read from settings. Needs no package of its own."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SCHEME = "s3://"
"""Begins the address of a bucket."""

_ADDRESS = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)/?",
    re.ASCII,
)


@dataclass(frozen=True)
class BucketAddress:
    """A bucket, and the prefix in it under which we keep all of ours; may be empty."""

    bucket: str
    prefix: str


@dataclass(frozen=True)
class Credentials:
    """Who we are; `session_token` comes with keys that expire, else it is empty."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class BucketAccess:
    """All that is needed to use a bucket; without an endpoint it is Amazon's."""

    address: BucketAddress
    credentials: Credentials
    region: str = "us-east-1"
    endpoint: str = ""

    @property
    def url(self) -> str:
        """The URL of the endpoint, whatever the environment says besides."""
        return self.endpoint or f"https://s3.{self.region}.amazonaws.com"

    @property
    def is_clear(self) -> bool:
        """Whether images travel to it in the clear."""
        return self.url.startswith("http://")


def parse_address(text: str) -> BucketAddress:
    """Read s3://bucket/prefix. Raises ValueError."""
    match = _ADDRESS.fullmatch(text)
    if not match:
        raise ValueError(
            "takes s3://bucket or s3://bucket/prefix, of letters, digits, dots and hyphens"
        )
    return BucketAddress(match["bucket"], match["prefix"].strip("/"))


def endpoint_host(endpoint: str) -> str:
    """Return the host of an endpoint's URL. Raises ValueError where it is none."""
    parts = urlsplit(endpoint)
    more = parts.username or parts.password or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or more:
        raise ValueError("takes the URL of a server, such as https://s3.example.org")
    return parts.hostname
