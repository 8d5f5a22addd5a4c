"""A token is sent in plain text to this machine only."""

import pytest

from pixy_client.targets import is_loopback


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.1:50051",
        "127.0.0.1",
        "127.8.9.10:1",
        "localhost:50051",
        "LOCALHOST",
        "[::1]:50051",
        "[::1]",
        "::1",
        "dns:localhost:1",
        "dns:///localhost:1",
        "ipv4:127.0.0.1:1,127.0.0.2:2",
        "ipv6:[::1]:1",
        "unix:/run/pixy.sock",
        "unix:///run/pixy.sock",
        "unix-abstract:pixy",
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
        "0.0.0.0:1",
    ],
)
def test_check_of_a_target_elsewhere_finds_it_not_local(target: str) -> None:
    """What is not certainly this machine counts as another one."""
    found = is_loopback(target)

    assert not found
