"""A target is HOST:PORT, and a token is sent in plain text to this machine only."""

import pytest

from pixy_client.targets import is_loopback, target_complaint


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.1:50051",
        "127.8.9.10:1",
        "localhost:50051",
        "LOCALHOST:1",
        "[0:0:0:0:0:0:0:1]:65535",
        "[::1]:50051",
    ],
)
def test_check_of_a_target_here_finds_it_local(target: str) -> None:
    """Every way to write an address of this machine is known."""
    found = is_loopback(target)

    assert found


@pytest.mark.parametrize(
    "target",
    [
        "",
        "10.0.0.1:50051",
        "pixy.example:50051",
        "localhost.example:1",
        "127.0.0.1.example:1",
        "127.0.0.1@pixy.example:1",
        "127.0.0.1,10.0.0.1:1",
        "[::1].example:1",
        "[2001:db8::1]:1",
        "2001:db8::1",
        "ipv4:127.0.0.1:1,10.0.0.1:1",
        "dns://10.0.0.1/localhost:1",
        "xds:///localhost",
        "unix:/run/pixy.sock",
        "localhost",
        "0.0.0.0:1",
    ],
)
def test_check_of_a_target_elsewhere_finds_it_not_local(target: str) -> None:
    """What is not certainly this machine counts as another one."""
    found = is_loopback(target)

    assert not found


@pytest.mark.parametrize(
    "target", ["127.0.0.1:1", "localhost:65535", "pixy_1.example:50051", "[2001:db8::1]:443"]
)
def test_check_of_a_host_and_a_port_finds_nothing_wrong(target: str) -> None:
    """A name, an address, an address in brackets."""
    complaint = target_complaint(target)

    assert complaint == ""


@pytest.mark.parametrize(
    "target",
    [
        "",
        "127.0.0.1",
        "localhost:",
        ":50051",
        "localhost:0",
        "localhost:99999",
        "localhost:65536",
        "localhost:+1",
        "localhost:\u0661",
        "localhost:1\n",
        " localhost:1",
        "::1",
        "[::1]",
        "::1:50051",
        "[localhost]:1",
        "a,b:1",
        "user@host:1",
        "host:1/path",
        "dns:localhost:1",
        "unix:/run/pixy.sock",
        "ipv4:127.0.0.1:1,127.0.0.2:2",
    ],
)
def test_check_of_another_target_says_what_one_is(target: str) -> None:
    """What gRPC would read in a way of its own is not handed to it."""
    complaint = target_complaint(target)

    assert complaint == (f"The target takes HOST:PORT, such as 127.0.0.1:50051, not {target!r}.")


@pytest.mark.parametrize("scheme", ["http://", "https://", "grpc://"])
def test_check_of_an_address_of_the_web_says_to_leave_the_scheme_out(scheme: str) -> None:
    """It is the one mistake everybody makes."""
    complaint = target_complaint(f"{scheme}127.0.0.1:50051")

    assert complaint.endswith(f"; leave {scheme} out.")
