"""A provider for benchmarks, in a process of its own: it answers every request alike.

`python -m benchmarks.provider SECONDS TOGETHER` serves on loopback until its standard
input ends, after it has printed its port. Each answer holds the same PNG of 1.5 MB and
comes SECONDS after its request; where TOGETHER is not 0, the second and all later ones come
SECONDS after so many of these have been asked for. `GET /asked` says how many requests
have come.
"""

import asyncio
import base64
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection

from PIL import Image

SIDE_PIXELS = 1024
NOISE = 16
"""The noise that makes a PNG of this size 1.5 MB, as a photograph's would be."""

_SHADES = (0, 20, -30)
_BACKLOG = 4096


@dataclass(frozen=True)
class BenchProvider:
    """Where it listens."""

    port: int

    @property
    def base_url(self) -> str:
        """What a client of the Images API is given."""
        return f"http://127.0.0.1:{self.port}/v1"

    def asked(self) -> int:
        """Return how many images it was asked for."""
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/asked")
        answer = int(connection.getresponse().read())
        connection.close()
        return answer


@contextmanager
def running_provider(seconds: float, together: int = 0) -> Iterator[BenchProvider]:
    """Run one until the block ends."""
    command = [sys.executable, "-m", __name__, str(seconds), str(together)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin  # noqa: S101 - what PIPE means
        assert process.stdout  # noqa: S101 - likewise
        try:
            yield BenchProvider(int(process.stdout.readline()))
        finally:
            process.stdin.close()


def picture() -> bytes:
    """Return the PNG."""
    noise = Image.effect_noise((SIDE_PIXELS, SIDE_PIXELS), NOISE)
    bands = [
        noise.point([min(255, max(0, level + shade)) for level in range(256)]) for shade in _SHADES
    ]
    buffer = io.BytesIO()
    Image.merge("RGB", bands).save(buffer, "PNG")
    return buffer.getvalue()


class _Server:
    """Answers on any number of connections, one request after another on each."""

    def __init__(self, seconds: float, together: int) -> None:
        self._seconds = seconds
        self._together = together
        self._all_asked = asyncio.Event()
        self._asked = 0
        image = base64.b64encode(picture()).decode()
        usage = {"input_tokens": 9, "output_tokens": 1056, "total_tokens": 1065}
        body = {"created": 1, "data": [{"b64_json": image}], "usage": usage}
        self._answer = _http(json.dumps(body).encode())

    async def serve(self) -> None:
        """Serve until standard input ends."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=_BACKLOG)
        print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - who started it reads it
        await asyncio.to_thread(sys.stdin.read)
        server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await _head(reader):
                writer.write(await self._reply(head, reader))
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _reply(self, head: bytes, reader: asyncio.StreamReader) -> bytes:
        if head.startswith(b"GET"):
            return _http(str(self._asked).encode())
        lines = head.lower().split(b"\r\n")
        length = next(line for line in lines if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        self._asked += 1
        if self._asked > self._together:
            self._all_asked.set()
        if self._asked > 1:
            await self._all_asked.wait()
        await asyncio.sleep(self._seconds)
        return self._answer


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _http(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


if __name__ == "__main__":
    asyncio.run(_Server(float(sys.argv[1]), int(sys.argv[2])).serve())
