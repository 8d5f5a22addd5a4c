"""The end of a process that has cut requests off: obstore's threads are not done with them."""

import subprocess
import sys
import time

from pixy_grpc.data.s3.requests import SETTLE_SECONDS
from tests.integration.data.mysql.faults import silent_listener
from tests.support.process import WAIT_SECONDS, environment

ENDING = """
import sys, time
from pixy_grpc.data.s3.address import BucketAccess, BucketAddress, Credentials
from pixy_grpc.data.s3.client import BucketClient

address = BucketAddress("bucket", "images")
access = BucketAccess(address, Credentials("id", "secret"), endpoint=sys.argv[1])
client = BucketClient(access)
requests = [client.begin_read("a", range(1)) for _ in range(200)]
for each in requests:
    each.cancel()
print(time.monotonic())
sys.exit(4)
"""


def test_process_that_cut_requests_off_ends_as_it_says() -> None:
    """Not by a signal, nor with a word of obstore's: its threads are waited for."""
    with silent_listener() as listener:
        ended = subprocess.run(
            [sys.executable, "-c", ENDING, f"http://127.0.0.1:{listener.port}"],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )

    assert (ended.returncode, ended.stderr) == (4, "")
    assert time.monotonic() - float(ended.stdout) >= SETTLE_SECONDS
