"""A thousand images with the longest prompts: every client comes to the end of the list."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypedDict

import pytest

from pixy_grpc.core.models import MAX_PROMPT_BYTES, MAX_PROMPT_CHARACTERS, ImageCreate
from pixy_grpc.service.catalogue import MAX_PAGE_BYTES
from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.stocking import stock
from tests.e2e.rpc.wire import LIST, ask
from tests.support.server import RunningServer

pytestmark = pytest.mark.timeout(600)

IMAGES = 1_000
CLIENTS_LIMIT = 4 * 1024 * 1024
"""What grpcurl, buf curl and most libraries receive by default."""

PROGRAM_SECONDS = 60
BINARIES = Path(sys.executable).parent


class Listed(TypedDict):
    """What these tests look at of an image that a program prints."""

    guid: str
    prompt: str


class Printed(TypedDict, total=False):
    """A page as a program prints it: one by the names of JSON, the other by those of the proto."""

    details: list[Listed]
    nextPageToken: str
    next_page_token: str


AskForPage = Callable[[str], Printed]


def longest_prompt(number: int) -> str:
    """Return a prompt of exactly 65,535 bytes, in less than 32,000 characters."""
    return f"{number:04} a b" + "ა" * ((MAX_PROMPT_BYTES - 8) // 3) + "c"


@pytest.fixture(scope="module")
def guids(lone_server: RunningServer) -> list[str]:
    """Store a thousand images; return their guids, newest first."""
    with stock(lone_server) as add:
        return [add(prompt=longest_prompt(number)) for number in range(IMAGES)][::-1]


def test_prompts_are_the_longest_there_are() -> None:
    """The images of this module are the largest that the contract allows."""
    prompt = longest_prompt(7)

    assert ImageCreate(prompt=prompt).prompt == prompt
    assert len(prompt.encode()) == MAX_PROMPT_BYTES
    assert len(prompt) <= MAX_PROMPT_CHARACTERS


def test_client_lists_every_image_once(lone_server: RunningServer, guids: list[str]) -> None:
    """The client follows the tokens by itself, with whole prompts in every page."""
    with lone_server.client() as client:
        images = list(client.list())

    assert [image.guid for image in images] == guids
    assert {len(image.prompt.encode()) for image in images} == {MAX_PROMPT_BYTES}


@pytest.mark.parametrize("page_size", [0, 1_000])
def test_pages_stay_within_their_size(
    lone_server: RunningServer, guids: list[str], page_size: int
) -> None:
    """A page ends at 1 MiB of details, whatever was asked for, and is never empty for it."""
    listed, token, sizes = [], "", []

    with lone_server.channel() as channel:
        while True:
            request = pb.ListImageDetailsRequest(page_size=page_size, page_token=token)
            (encoded,) = ask(channel, LIST, request, metadata=lone_server.metadata())
            page = pb.ListImageDetailsResponse.FromString(encoded)
            listed += [details.guid for details in page.details]
            sizes.append(sum(details.ByteSize() for details in page.details))
            assert len(encoded) < CLIENTS_LIMIT
            token = page.next_page_token
            if not token:
                break

    assert listed == guids
    assert max(sizes) <= MAX_PAGE_BYTES
    assert min(sizes[:-1]) > MAX_PAGE_BYTES - 2 * MAX_PROMPT_BYTES


def followed(ask_for_page: AskForPage) -> Iterator[Listed]:
    """Yield the images of a list as a program prints them, page after page."""
    token = ""
    while True:
        page = ask_for_page(token)
        yield from page.get("details", [])
        token = page.get("nextPageToken") or page.get("next_page_token", "")
        if not token:
            return


def run(name: str, *arguments: str) -> Printed:
    """Run a program and return the JSON it prints."""
    program = shutil.which(name, path=BINARIES)
    assert program, f"{name} is not installed"
    ended = subprocess.run(
        [program, *arguments], capture_output=True, check=False, timeout=PROGRAM_SECONDS
    )
    assert ended.returncode == 0, ended.stderr.decode()
    page: Printed = json.loads(ended.stdout)
    return page


def grpcurl(server: RunningServer, token: str) -> Printed:
    """Ask for a page with grpcurl, as the README does."""
    ((_, bearer),) = server.metadata()
    header, data = f"authorization: {bearer}", json.dumps({"page_token": token})
    return run("grpcurl", "-plaintext", "-H", header, "-d", data, server.target, LIST[1:])


def buf_curl(server: RunningServer, token: str) -> Printed:
    """Ask for a page with buf curl, as the README does."""
    ((_, bearer),) = server.metadata()
    header, data = f"authorization: {bearer}", json.dumps({"page_token": token})
    options = ("--protocol", "grpc", "--http2-prior-knowledge", "--schema", "protos")
    url = f"http://{server.target}{LIST}"
    return run("buf", "curl", *options, "-H", header, "-d", data, url)


def test_grpcurl_and_buf_curl_list_every_image_once(
    lone_server: RunningServer, guids: list[str]
) -> None:
    """Programs with default limits receive every page, to the end of the list.

    They run beside each other, as each spends its time on starting.
    """
    programs = (grpcurl, buf_curl)

    with ThreadPoolExecutor(len(programs)) as threads:
        listings = threads.map(
            lambda program: list(followed(lambda token: program(lone_server, token))), programs
        )

        for listing in listings:
            assert [image["guid"] for image in listing] == guids
            assert {len(image["prompt"].encode()) for image in listing} == {MAX_PROMPT_BYTES}
