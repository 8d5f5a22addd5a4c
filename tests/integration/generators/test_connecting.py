"""How a provider is reached, or not: by then nothing is spent."""

import socket
import threading
from dataclasses import replace

import pytest

from pixy_grpc.core.exceptions import (
    DeadlineTooShortError,
    ProviderOutcomeUnknownError,
    ProviderUnavailableError,
)
from pixy_grpc.service.generators.openai import Network
from tests.integration.generators.asking import LIMITS, SHORT_SECONDS, Make, create, names, picture
from tests.integration.generators.certificates import Authority
from tests.support.process import wait_until
from tests.support.provider import Peer, Provider, held, image, providing

PNG = picture()


def test_failed_connection_is_tried_again(provider: Provider, make: Make) -> None:
    """A provider that is just restarting costs a moment, no creation."""
    provider.will(image(PNG))
    calls: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        calls.append(address)
        if len(calls) == 1:
            raise ConnectionRefusedError
        return socket.create_connection(address, seconds)

    made = create(make(network=Network(connect=connect)))

    assert made.data == PNG
    assert calls == [("127.0.0.1", provider.port)] * 2


def test_second_address_is_used_when_the_first_is_dead(provider: Provider, make: Make) -> None:
    """A host with several addresses is reached while one of them answers."""
    provider.will(image(PNG))
    network, _ = names({"provider.test": ["127.0.0.2", "127.0.0.1"]})

    made = create(make(base_url=f"http://provider.test:{provider.port}/v1", network=network))

    assert made.data == PNG


def test_unreachable_provider_is_unavailable_after_three_attempts(make: Make) -> None:
    """Nothing was sent, so it says UNAVAILABLE; and it does not try for ever."""
    network, asked = names({})

    with pytest.raises(ProviderUnavailableError):
        create(make(base_url="http://provider.test/v1", network=network))

    assert asked == ["provider.test"] * 3


def test_impossible_host_is_unavailable(make: Make) -> None:
    """A name that the resolver itself cannot read is an unreachable one."""
    with pytest.raises(ProviderUnavailableError):
        create(make(base_url=f"http://{'a' * 64}.test/v1"))


def test_hanging_lookup_ends_by_the_deadline(make: Make) -> None:
    """The system's resolver has no timeout; the call has one all the same."""
    release = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        release.wait()
        return []

    try:
        with pytest.raises(DeadlineTooShortError):
            create(
                make(base_url="http://provider.test/v1", network=Network(resolve=resolve)),
                SHORT_SECONDS,
            )
    finally:
        release.set()


@pytest.mark.parametrize("greeting", [b"", b"\x16\x03\x03\x0f\xff" + b"\x02" * 5000])
def test_stalled_handshake_ends_by_the_deadline(
    greeting: bytes, provider: Provider, make: Make
) -> None:
    """A peer that says nothing, or drips a TLS record, holds nobody; nothing was sent."""

    def stall(peer: Peer) -> None:
        peer.drip(greeting)
        peer.wait()

    provider.on_connect = stall

    with pytest.raises(DeadlineTooShortError):
        create(make(base_url=f"https://127.0.0.1:{provider.port}/v1"), SHORT_SECONDS)

    assert not provider.requests


def test_our_own_cap_on_connecting_is_no_fault_of_the_caller(
    provider: Provider, make: Make
) -> None:
    """A caller with time to spare hears that the provider is unavailable."""
    provider.on_connect = Peer.wait
    limits = replace(LIMITS, connect_seconds=0.1)

    with pytest.raises(ProviderUnavailableError):
        create(make(base_url=f"https://127.0.0.1:{provider.port}/v1", limits=limits))

    wait_until(lambda: provider.connections >= 3, "they have been accepted")
    assert provider.connections == 3


def test_unknown_authority_is_unreachable(make: Make, authority: Authority) -> None:
    """The key goes to nobody whose certificate is not vouched for."""
    with providing(authority.server_context()) as secure:
        secure.will(image(PNG))

        with pytest.raises(ProviderUnavailableError):
            create(make(base_url=f"{secure.origin}/v1"))

        assert not secure.requests


def test_private_authority_is_trusted_by_setting(make: Make, authority: Authority) -> None:
    """An endpoint of one's own is reached over TLS with the authority's file."""
    with providing(authority.server_context()) as secure:
        secure.will(image(PNG))

        made = create(make(base_url=f"{secure.origin}/v1", ca_file=str(authority.ca_file)))

        assert made.data == PNG


def test_connection_cut_before_it_is_read_is_unknown(provider: Provider, make: Make) -> None:
    """Bytes had left, so it is not asked again: nobody can tell what became of them."""

    def cut(peer: Peer) -> None:
        peer.socket.recv(1, socket.MSG_PEEK)
        peer.reset()

    provider.on_connect = cut

    with pytest.raises(ProviderOutcomeUnknownError):
        create(make())

    assert (provider.connections, provider.requests) == (1, [])


def test_full_pool_is_unavailable(provider: Provider, make: Make) -> None:
    """Who finds no connection in time has asked nobody."""
    provider.will(held(image(PNG)))
    generator = make(limits=replace(LIMITS, connections=1, connect_seconds=0.1))
    first = threading.Thread(target=create, args=(generator,))
    first.start()
    provider.asked.wait()

    with pytest.raises(ProviderUnavailableError):
        create(generator)

    provider.release.set()
    first.join()
    assert len(provider.requests) == 1
