"""Servers that tests start as processes, and that never outlive them."""

import os
import socket
import sys
from collections.abc import Sequence

# The kernel ends the server when the process that started it ends, killed or not.
_DIE_WITH_PARENT = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
if os.getppid() != int(sys.argv[1]):
    os._exit(1)  # it ended before we asked
os.execv(sys.argv[2], sys.argv[2:])
"""


def bound_to_us(command: Sequence[str]) -> list[str]:
    """Return the command that runs this one until our own process ends."""
    return [sys.executable, "-ISc", _DIE_WITH_PARENT, str(os.getpid()), *command]


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on now, each another one."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports
