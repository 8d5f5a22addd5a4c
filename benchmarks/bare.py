"""A bare grpcio server for benchmarks: it streams bytes from memory and knows nothing else.

`python -m benchmarks.bare` serves on loopback until its standard input ends, after it has
printed its port. `/bare/hashed` and `/bare/plain` stream as many bytes as the request
says in decimal, in messages of 1 MiB; the first hashes each before it sends it, and so does
`/bare/generated`, which sends them as GetImageBytesResponse through the generated code.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from pixy_grpc.core.contents import BLOCK_BYTES
from pixy_grpc.v1 import image_service_pb2 as pb

THREADS = 8
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

_BLOCK = os.urandom(BLOCK_BYTES)


class _Handlers(grpc.GenericRpcHandler):
    def service(
        self, details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, Any] | None":
        method = details.method.rpartition("/")[2]

        def stream(request: bytes, _context: grpc.ServicerContext) -> Iterator[Any]:
            left = int(request)
            while left:
                block = _BLOCK if left >= BLOCK_BYTES else _BLOCK[:left]
                if method != "plain":
                    hashlib.sha256(block).digest()
                left -= len(block)
                yield pb.GetImageBytesResponse(data=block) if method == "generated" else block

        encode = pb.GetImageBytesResponse.SerializeToString if method == "generated" else None
        return grpc.unary_stream_rpc_method_handler(stream, None, encode)


def main() -> None:
    """Serve until standard input ends."""
    server = grpc.server(
        ThreadPoolExecutor(THREADS),
        handlers=[_Handlers()],
        options=[("grpc.max_send_message_length", MAX_MESSAGE_BYTES)],
    )
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)  # noqa: T201 - who started it reads it
    server.start()
    sys.stdin.read()
    server.stop(0).wait()


if __name__ == "__main__":
    main()
