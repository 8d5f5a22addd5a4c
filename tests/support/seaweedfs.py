"""A private SeaweedFS for tests, an S3-compatible store, thrown away afterwards."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from pixy_grpc.data.s3.address import BucketAccess, BucketAddress, Credentials
from tests.support.children import bound_to_us, free_ports

BUCKET = "pixy"
KEY_ID = "pixykey"
SECRET = "pixysecret"

START_SECONDS = 60.0
"""Cap on a start or stop: a second as a rule, more where the machine is busy."""

POLL_SECONDS = 0.02
"""How often a start is looked at: the server has no way to tell us."""

_PROGRAM = Path(sys.executable).with_name("weed")
_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
    "admin.port",
    "admin.port.grpc",
)
_ACTIONS = ["Admin", "Read", "Write", "List", "Tagging"]
_IDENTITY = {
    "name": "pixy",
    "credentials": [{"accessKey": KEY_ID, "secretKey": SECRET}],
    "actions": _ACTIONS,
}


class SeaweedFSServer:
    """One server on loopback, in a folder of its own, with an empty bucket."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pxw-"))  # a socket's path is short
        self._ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        atexit.register(self.remove)
        (self._folder / "data").mkdir()
        (self._folder / "s3.json").write_text(json.dumps({"identities": [_IDENTITY]}))
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(bound_to_us(self._command()), stdout=log, stderr=log)
        self._wait_until_answers()

    @property
    def port(self) -> int:
        """Where it speaks S3."""
        return self._ports["s3.port"]

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def bucket(self, prefix: str = "") -> S3Store:
        """Open the bucket bare, for arranging what a test needs and looking at the outcome."""
        return S3Store(
            BUCKET,
            prefix=prefix or None,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key_id=KEY_ID,
            secret_access_key=SECRET,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )

    def freeze(self) -> None:
        """Make the server do nothing at all; the kernel still accepts connections for it."""
        os.kill(self._process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)  # each of its threads

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def remove(self) -> None:
        """End the server, and delete all it has stored."""
        atexit.unregister(self.remove)
        self._process.kill()
        self._process.wait(START_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _command(self) -> list[str]:
        return [
            str(_PROGRAM),
            "-logtostderr=true",
            "mini",
            f"-dir={self._folder / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-master.telemetry=false",
            *(f"-{name}={port}" for name, port in self._ports.items()),
            f"-filer.localSocket={self._folder / 'f.sock'}",
            f"-s3.localSocket={self._folder / 's3.sock'}",
            f"-s3.config={self._folder / 's3.json'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-webdav=false",
            "-admin.ui=false",
            f"-bucket={BUCKET}",
        ]

    def _wait_until_answers(self) -> None:
        end = time.monotonic() + START_SECONDS
        bucket = self.bucket()
        while True:
            try:
                obstore.list_with_delimiter(bucket)
            except BaseError as error:
                if self._process.poll() is not None:
                    log = (self._folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"weed has ended:\n{log}") from error
                if time.monotonic() > end:
                    raise
                time.sleep(POLL_SECONDS)
            else:
                return


@dataclass(frozen=True)
class Bare:
    """The bucket under one prefix, past the service: to damage it, and to look into it."""

    server: SeaweedFSServer
    prefix: str = field(default_factory=lambda: uuid.uuid4().hex)

    def access(
        self, endpoint: str = "", *, bucket: str = BUCKET, secret: str = SECRET
    ) -> BucketAccess:
        """Return how to use it; by way of another endpoint, if one is given."""
        return BucketAccess(
            BucketAddress(bucket, self.prefix),
            Credentials(KEY_ID, secret),
            endpoint=endpoint or self.server.endpoint,
        )

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a service that keeps its images here."""
        return {
            "images": f"s3://{BUCKET}/{self.prefix}",
            "aws_access_key_id": KEY_ID,
            "aws_secret_access_key": SECRET,
            "aws_endpoint_url": self.server.endpoint,
        }

    def names(self) -> list[str]:
        """Return the names of all objects, sorted."""
        found = obstore.list(self._bucket).collect()
        return sorted(str(each["path"]) for each in found)

    def read(self, name: str) -> bytes:
        """Return an object."""
        return obstore.get(self._bucket, name).bytes().to_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Put an object, over whatever is there."""
        obstore.put(self._bucket, name, data, use_multipart=False)

    def delete(self, *names: str) -> None:
        """Remove objects."""
        for name in names:
            obstore.delete(self._bucket, name)

    @cached_property
    def _bucket(self) -> S3Store:
        return self.server.bucket(self.prefix)


def name_of(key: str) -> str:
    """Return the name of the object that holds a key's bytes."""
    return f"{key[:2]}/{key[2:4]}/{key}"


@cache
def shared_seaweedfs() -> SeaweedFSServer:
    """Return the server that all tests of this process share, each under its own prefix."""
    return SeaweedFSServer()
