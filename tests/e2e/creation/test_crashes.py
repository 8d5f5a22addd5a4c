"""kill -9 and SIGSTOP at every step of a creation: one image, paid for once if at all possible."""

import signal
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.creation.scripted import (
    STEADY_LEASE_SECONDS,
    STEPS,
    calls,
    scripted_process,
    scripted_server,
)
from tests.support.process import wait_until
from tests.support.server import RunningServer

RETRY_SECONDS = 60.0
"""A retry waits for the lease of the process that is gone, and a little more."""

CALLS_UP_TO = {"claimed": 1, "asked": 2, "answered": 2, "durable": 1, "committed": 1}
"""How often the provider is called in all: twice only where its answer was lost."""


def create(server: RunningServer, request_id: str) -> tuple[str, bool]:
    """Create with one call, and return the guid, and whether it is a replay."""
    with server.client() as client:
        creation = client.create("a fox", request_id=request_id, timeout=RETRY_SECONDS)
        return creation.image.guid, creation.replayed


def files(server: RunningServer) -> list[Path]:
    return list(server.images.glob("??/??/*"))


def require_one_image(server: RunningServer, guid: str) -> None:
    """Hold a server to one row, one whole file."""
    with server.client() as client:
        assert [image.guid for image in client.list_page().images] == [guid]
        assert client.read(guid).verified
    assert len(files(server)) == 1


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_and_asked_again_makes_one_image(
    tmp_path: Path, database_url: str, step: str, threads: ThreadPoolExecutor
) -> None:
    """A retry finds the image, completes it, or has it made; never a second one."""
    request_id = str(uuid.uuid4())
    with scripted_process(tmp_path, database_url, step) as process:
        first = threads.submit(create, process.await_serving(), request_id)
        assert process.await_step() == step
        process.signal(signal.SIGKILL)
        process.wait()
        assert first.exception(RETRY_SECONDS)

    with scripted_server(tmp_path, database_url) as server:
        guid, replayed = create(server, request_id)
        again = create(server, request_id)

        assert again == (guid, True)
        require_one_image(server, guid)
    assert calls(tmp_path) == CALLS_UP_TO[step]
    assert replayed is (step in ("durable", "committed"))


def test_killed_with_durable_bytes_is_completed_without_anybody_asking(
    tmp_path: Path, database_url: str, threads: ThreadPoolExecutor
) -> None:
    """A start completes what was paid for."""
    with scripted_process(tmp_path, database_url, "durable") as process:
        first = threads.submit(create, process.await_serving(), str(uuid.uuid4()))
        process.await_step()
        process.signal(signal.SIGKILL)
        process.wait()
        assert first.exception(RETRY_SECONDS)

    with scripted_server(tmp_path, database_url) as server, server.client() as client:
        wait_until(lambda: client.list_page().images, "the image is there")
        (image,) = client.list_page().images
        require_one_image(server, image.guid)
    assert calls(tmp_path) == 1


@pytest.mark.parametrize("step", ["asked", "answered", "durable"])
def test_stopped_past_its_lease_and_woken_makes_one_image(
    tmp_path: Path, database_url: str, step: str, threads: ThreadPoolExecutor
) -> None:
    """Who took over wins, unless the sleeper's bytes were there; both callers get one image."""
    request_id = str(uuid.uuid4())
    with (
        scripted_process(tmp_path, database_url, step) as process,
        scripted_server(tmp_path, database_url) as server,
    ):
        sleeping = threads.submit(create, process.await_serving(), request_id)
        process.await_step()
        process.signal(signal.SIGSTOP)
        guid, replayed = create(server, request_id)
        process.go_on()
        process.signal(signal.SIGCONT)

        late, _ = sleeping.result(RETRY_SECONDS)

        assert late == guid
        assert replayed is (step == "durable")
        require_one_image(server, guid)
        put_aside = list((server.images / ".quarantine").glob("*"))
        assert len(put_aside) == (0 if step == "durable" else 1)
    assert calls(tmp_path) == CALLS_UP_TO[step]


def test_stopped_before_it_asked_does_not_ask_when_woken(
    tmp_path: Path, database_url: str, threads: ThreadPoolExecutor
) -> None:
    """Its fence is lost before money is spent."""
    request_id = str(uuid.uuid4())
    with (
        scripted_process(tmp_path, database_url, "claimed") as process,
        scripted_server(tmp_path, database_url) as server,
    ):
        sleeping = threads.submit(create, process.await_serving(), request_id)
        process.await_step()
        process.signal(signal.SIGSTOP)
        won = create(server, request_id)
        process.go_on()
        process.signal(signal.SIGCONT)

        assert sleeping.result(RETRY_SECONDS) == (won[0], True)
    assert calls(tmp_path) == 1


def test_fifty_at_once_over_two_processes_make_one_image(
    tmp_path: Path, database_url: str, threads: ThreadPoolExecutor
) -> None:
    """One call of the provider, one row, one file, fifty equal answers."""
    request_id = str(uuid.uuid4())
    with (
        scripted_process(tmp_path, database_url, lease=STEADY_LEASE_SECONDS) as one,
        scripted_process(tmp_path, database_url, lease=STEADY_LEASE_SECONDS) as other,
    ):
        servers = [one.await_serving(), other.await_serving()]
        running = [threads.submit(create, servers[n % 2], request_id) for n in range(50)]
        answers = [each.result(RETRY_SECONDS) for each in running]

        assert len({guid for guid, _ in answers}) == 1
        assert [replayed for _, replayed in answers].count(False) == 1
        require_one_image(servers[0], answers[0][0])
    assert calls(tmp_path) == 1


def test_fifty_retries_at_once_after_a_crash_ask_once_more(
    tmp_path: Path, database_url: str, threads: ThreadPoolExecutor
) -> None:
    """One of them takes over, in whatever process; the others wait for it."""
    request_id = str(uuid.uuid4())
    with scripted_process(tmp_path, database_url, "asked") as process:
        threads.submit(create, process.await_serving(), request_id)
        process.await_step()
        process.signal(signal.SIGKILL)
        process.wait()
    with (
        scripted_process(tmp_path, database_url, lease=STEADY_LEASE_SECONDS) as one,
        scripted_server(tmp_path, database_url, lease=STEADY_LEASE_SECONDS) as here,
    ):
        servers = [one.await_serving(), here]
        running = [threads.submit(create, servers[n % 2], request_id) for n in range(50)]
        answers = [each.result(RETRY_SECONDS) for each in running]

        assert len({guid for guid, _ in answers}) == 1
        require_one_image(here, answers[0][0])
    assert calls(tmp_path) == 2


def test_term_lets_what_was_asked_be_stored(
    tmp_path: Path, database_url: str, threads: ThreadPoolExecutor
) -> None:
    """The grace of calls is over, that of creations is not: the retry finds the image."""
    request_id = str(uuid.uuid4())
    with scripted_process(tmp_path, database_url, "asked") as process:
        first = threads.submit(create, process.await_serving(), request_id)
        process.await_step()
        process.signal(signal.SIGTERM)
        assert first.exception(RETRY_SECONDS)
        process.go_on()
        assert process.wait() == 0

    with scripted_server(tmp_path, database_url) as server:
        guid, replayed = create(server, request_id)

        assert replayed
        require_one_image(server, guid)
    assert calls(tmp_path) == 1
