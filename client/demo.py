"""`make demo`: starts a server in a folder of its own, uses it, and stops it."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pixy_client import Client, UnreachableError

PROMPTS = (
    "a red fox in the snow at sunset",
    "a lighthouse by the sea at night",
    "a city in the rain",
)
START_SECONDS = 30.0


def main() -> None:
    """Tell what is done while doing it."""
    with tempfile.TemporaryDirectory(prefix="pixy-demo-") as folder:
        target = f"127.0.0.1:{_free_port()}"
        server = _start(target, Path(folder))
        try:
            with _connected(target, Path(folder)) as client:
                _use(client, Path(folder))
        finally:
            server.send_signal(signal.SIGTERM)
            print(f"stopped the server: exit code {server.wait(START_SECONDS)}")


def _use(client: Client, folder: Path) -> None:
    for prompt in PROMPTS:
        image = client.create(prompt, size="512x512").image
        print(f"created    {image.guid}  {image.filename}  {image.size_bytes:,} bytes")
    print(f"listed     {[image.filename for image in client.list()]}")
    (fox,) = client.list(prompt="fox snow")
    print(f"searched   'fox snow' finds {fox.filename}")
    client.download(fox.guid, folder / "fox.png")
    digest = hashlib.sha256((folder / "fox.png").read_bytes()).hexdigest()
    if digest != fox.sha256:
        sys.exit("the download differs from what was stored")
    print(f"downloaded fox.png, sha256 {digest[:16]}... as stored")


def _start(target: str, folder: Path) -> subprocess.Popen[bytes]:
    command = Path(sys.executable).with_name("pixy-grpc")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PIXY_")}
    environment = outside | {"PIXY_LISTEN": target, "PIXY_LOG_LEVEL": "WARNING"}
    print(f"starting a server on {target}")
    return subprocess.Popen([command, "serve"], cwd=folder, env=environment)


def _connected(target: str, folder: Path) -> Client:
    """Return a client once the server answers."""
    token_file = folder / ".pixy" / "token"
    _await_listening(target)
    return Client(target, token=token_file.read_text(encoding="ascii").strip())


def _await_listening(target: str) -> None:
    host, _, port = target.rpartition(":")
    for _ in range(int(START_SECONDS * 10)):
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return
    raise UnreachableError("The server did not start.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
