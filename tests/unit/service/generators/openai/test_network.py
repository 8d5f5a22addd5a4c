"""Lookups that end in time, and no more of them than there is room for."""

import threading

import pytest

from pixy_grpc.service.generators.openai.network import MAX_LOOKUPS, Lookups, system_addresses


def test_address_needs_no_lookup() -> None:
    """What is an address already is nobody's name."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return []

    lookups = Lookups(resolve)

    assert lookups.addresses("::1", 443, 1.0) == ["::1"]
    assert lookups.addresses("127.0.0.1", 443, 1.0) == ["127.0.0.1"]
    assert not asked


def test_lookups_that_hang_leave_the_others_a_refusal() -> None:
    """A resolver that is down holds a bounded number of threads."""
    release, started = threading.Event(), threading.Semaphore(0)

    def resolve(_host: str, _port: int) -> list[str]:
        started.release()
        release.wait()
        return ["127.0.0.1"]

    lookups = Lookups(resolve)
    try:
        for _ in range(MAX_LOOKUPS):
            with pytest.raises(TimeoutError):
                lookups.addresses("slow.test", 443, 0.0)
        for _ in range(MAX_LOOKUPS):
            started.acquire()

        with pytest.raises(TimeoutError):
            lookups.addresses("slow.test", 443, 0.01)
        assert not started.acquire(blocking=False)
    finally:
        release.set()


def no_thread(_: threading.Thread) -> None:
    """Stand for a system that has none left."""
    raise RuntimeError("can't start new thread")


def test_lookup_that_no_thread_can_begin_for_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent, and the next is looked up as ever."""
    lookups = Lookups(lambda _host, _port: ["127.0.0.1"])
    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", no_thread)
        for _ in range(MAX_LOOKUPS):
            with pytest.raises(OSError, match="thread"):
                lookups.addresses("some.test", 443, 20.0)

    assert lookups.addresses("some.test", 443, 20.0) == ["127.0.0.1"]


def test_system_knows_loopback() -> None:
    """Each address is there once, whatever kinds of sockets there are for it."""
    found = system_addresses("localhost", 80)

    assert set(found) & {"127.0.0.1", "::1"}
    assert len(found) == len(set(found))
