"""What importing the generator costs."""

import subprocess
import sys

_LOOK = """
import sys
from pixy_grpc.service.generators.openai import Endpoint, OpenAIGenerator
OpenAIGenerator(Endpoint("m", "k")).close()
print([name for name in ("openai", "httpx2", "httpcore2") if name in sys.modules])
"""


def test_generator_that_is_not_used_imports_no_package() -> None:
    """A server that sketches does not wait a second for openai, nor need it installed."""
    ended = subprocess.run(
        [sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True, timeout=60
    )

    assert ended.stdout == "[]\n"
