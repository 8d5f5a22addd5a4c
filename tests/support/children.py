"""Servers that tests start as processes, and that never outlive them."""

import os
import secrets
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

_PORTS = range(20_000, 32_000)
"""Below those that systems give to whoever asks for none: none of these is taken by chance
between here and the start of a server, nor while one that was stopped starts again.
"""

# The kernel ends the server when the process that started it ends, killed or not.
_DIE_WITH_PARENT = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
if os.getppid() != int(sys.argv[1]):
    os._exit(1)  # it ended before we asked
os.execvp(sys.argv[2], sys.argv[2:])
"""


def bound_to_us(command: Sequence[str]) -> list[str]:
    """Return the command that runs this one until our own process ends."""
    return [sys.executable, "-ISc", _DIE_WITH_PARENT, str(os.getpid()), *command]


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on now, each another one."""
    found: set[int] = set()
    while len(found) < count:
        port = secrets.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.add(port)
    return list(found)
