"""What callers see of a bucket that is gone, refuses us, or does not answer.

Each call ends by its deadline, with an error that says what to do and nothing about where
the bucket is or who we are.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    DeadlineTooShortError,
    ImageException,
    StorageFullError,
    StorageUnavailableError,
)
from pixy_grpc.data.s3.address import BucketAccess, Credentials
from pixy_grpc.data.s3.reading import WINDOW_BYTES
from pixy_grpc.data.s3.store import S3Store
from tests.integration.data.examples import new_guid, new_key, soon
from tests.integration.data.mysql.faults import SilentListener, call, silent_listener
from tests.integration.data.s3.conftest import STORE_ID
from tests.support.children import free_ports
from tests.support.lossy_proxy import proxy
from tests.support.provider import answer, providing
from tests.support.seaweedfs import KEY_ID, Bare, name_of
from tests.support.seaweedfs import SECRET as KEY_SECRET

SECRET = "never-shown-1234"
LATE_SECONDS = 4.0
"""How far a call may outlive its deadline, on a machine that others keep busy."""

SHORT_SECONDS = 0.3

DATA = secrets.token_bytes(2 * WINDOW_BYTES)
KEY = new_key()

Act = Callable[[S3Store, Deadline], object]


def opened(store: S3Store, deadline: Deadline) -> None:
    with store.open(KEY, deadline):
        pass


ACTS: dict[str, Act] = {
    "put": lambda store, deadline: store.put(KEY, DATA, deadline),
    "open": opened,
    "delete": lambda store, deadline: store.delete(KEY, deadline),
    "keys": lambda store, deadline: store.keys(new_guid(), deadline),
    "quarantine": lambda store, deadline: store.quarantine(KEY, deadline),
    "ping": lambda store, deadline: store.ping(deadline),
}

Unusable = Callable[[Bare], BucketAccess]

UNUSABLE: dict[str, tuple[Unusable, str]] = {
    "no such bucket": (lambda bare: bare.access(bucket="missing"), "404 Not Found NoSuchBucket"),
    "wrong secret": (lambda bare: bare.access(secret=SECRET), "403 Forbidden"),
    "wrong token": (
        lambda bare: replace(bare.access(), credentials=Credentials(KEY_ID, KEY_SECRET, SECRET)),
        "403 Forbidden",
    ),
    "nobody listens": (
        lambda bare: bare.access(f"http://127.0.0.1:{free_ports(1)[0]}"),
        "Connect Connection refused",
    ),
    "no such host": (lambda bare: bare.access("http://no.such.host.invalid"), "Connect"),
    "no TLS there": (
        lambda bare: bare.access(f"https://127.0.0.1:{bare.server.port}"),
        "Connect",
    ),
}


def ended(store: S3Store, *deadlines: Deadline) -> dict[str, list[ImageException | None]]:
    """Return the errors of each act by each deadline, all at once; none may be late."""

    def outcome(act: Act, deadline: Deadline) -> ImageException | None:
        outcome = call(lambda until: act(store, until), deadline)
        assert outcome.late_seconds < LATE_SECONDS
        return outcome.error

    with ThreadPoolExecutor(len(ACTS) * len(deadlines)) as threads:
        running = {
            name: [threads.submit(outcome, act, deadline) for deadline in deadlines]
            for name, act in ACTS.items()
        }
        return {name: [each.result() for each in ends] for name, ends in running.items()}


def require(
    errors: dict[str, list[ImageException | None]], *expected: type[ImageException]
) -> None:
    """Fail unless each act ended in these errors, and none of them tells too much."""
    kinds = {name: [type(error) for error in ends] for name, ends in errors.items()}
    assert kinds == {name: list(expected) for name in ACTS}
    for ends in errors.values():
        for error in ends:
            require_discreet(error)


def both() -> tuple[Deadline, Deadline]:
    """Return a cap of ours and a caller's deadline, both short."""
    return (Deadline.after(SHORT_SECONDS), Deadline.after(SHORT_SECONDS, from_caller=True))


def require_discreet(error: ImageException | None) -> None:
    """Fail where an error tells callers about the bucket, or its cause takes a page."""
    assert error
    for word in (SECRET, "127.0.0.1", "host.invalid", "missing", "pixykey", "http", "<"):
        assert word not in error.message
    assert "\n" not in f"{error.message}{error.__cause__}"


@contextmanager
def frozen(bare: Bare) -> Iterator[None]:
    """Freeze the bucket's server until the block ends."""
    bare.server.freeze()
    yield
    bare.server.thaw()


@pytest.fixture
def silent() -> Iterator[SilentListener]:
    """Listen, and say nothing."""
    with silent_listener() as listener:
        yield listener


@pytest.mark.parametrize(("access", "_cause"), UNUSABLE.values(), ids=UNUSABLE)
def test_call_to_an_unusable_bucket_is_unavailable(
    bare: Bare, access: Unusable, _cause: str
) -> None:
    """It says so soon, to those with time too: nothing is tried for minutes."""
    errors = ended(S3Store(access(bare)), Deadline.after(4))

    require(errors, StorageUnavailableError)


@pytest.mark.parametrize(("access", "cause"), UNUSABLE.values(), ids=UNUSABLE)
def test_start_on_an_unusable_bucket_names_the_cause(
    bare: Bare, access: Unusable, cause: str
) -> None:
    """Who runs the service learns in a line why it does not start."""
    with pytest.raises(StorageUnavailableError) as caught:
        S3Store(access(bare)).prepare()

    assert str(caught.value.__cause__).startswith(cause)
    require_discreet(caught.value)


def test_call_to_a_silent_endpoint_ends_by_its_deadline(bare: Bare, silent: SilentListener) -> None:
    """Whoever set it is told."""
    store = S3Store(bare.access(f"http://127.0.0.1:{silent.port}"))

    errors = ended(store, *both())

    require(errors, StorageUnavailableError, DeadlineTooShortError)


def test_calls_at_once_to_a_silent_endpoint_hold_up_nobody(
    bare: Bare, silent: SilentListener
) -> None:
    """None waits for another: each has its own connection."""
    store = S3Store(bare.access(f"http://127.0.0.1:{silent.port}"))

    errors = ended(store, *[Deadline.after(SHORT_SECONDS)] * 20)

    require(errors, *[StorageUnavailableError] * 20)


def test_call_to_a_frozen_bucket_ends_by_its_deadline(store: S3Store, bare: Bare) -> None:
    """Also over connections that were good; and all is well once it goes on."""
    store.ping(soon())

    with frozen(bare):
        errors = ended(store, *both())

    require(errors, StorageUnavailableError, DeadlineTooShortError)
    key = new_key()
    store.put(key, DATA, soon())
    assert bare.read(name_of(key)) == DATA


def test_call_past_its_deadline_leaves_no_connection(bare: Bare) -> None:
    """What nobody waits for any more is cut, not left to run."""
    with frozen(bare), proxy(bare.server.port) as between:
        store = S3Store(bare.access(between.endpoint))
        with pytest.raises(StorageUnavailableError):
            store.ping(Deadline.after(SHORT_SECONDS))

        assert between.cut.wait(20)


def test_environment_is_not_looked_at(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings alone say where the bucket is, and who we are."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")

    S3Store(bare.access()).ping(soon())


@pytest.mark.parametrize("begun", [True, False], ids=["under way", "not begun"])
def test_read_of_a_frozen_bucket_ends_by_its_deadline(
    store: S3Store, bare: Bare, *, begun: bool
) -> None:
    """In the middle of an object; who opens it again goes on."""
    key = new_key()
    store.put(key, DATA, soon())
    deadline = Deadline.after(1.5)

    with store.open(key, deadline) as source:
        assert source.read(0, 100) == DATA[:100]
        with frozen(bare):
            if begun:
                source.read(100, 100)
            with pytest.raises(StorageUnavailableError):
                source.read(WINDOW_BYTES, 100)
            assert time.monotonic() - deadline.at < LATE_SECONDS

    with store.open(key, soon()) as source:
        assert source.read(0, len(DATA)) == DATA


def test_put_to_a_full_store_says_so(bare: Bare) -> None:
    """No room is something else than no answer: nothing is stored."""
    with providing() as stand_in:
        store = S3Store(bare.access(stand_in.origin))
        full = answer(b"<Error><Code>QuotaExceeded</Code></Error>", 403, "application/xml")
        mark = answer(STORE_ID.encode(), etag='"1"', last_modified="Sun, 22 Nov 2026 12:00:00 GMT")
        stand_in.will(mark, full)

        with pytest.raises(StorageFullError):
            store.put(KEY, DATA, soon())
