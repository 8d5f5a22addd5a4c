"""GetImageBytes by a bare stub, in all the ways it can be asked."""

import io
from dataclasses import dataclass
from typing import Unpack

from PIL import Image

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.rpc.fields import ReadFields
from tests.e2e.rpc.wire import TIMEOUT_SECONDS
from tests.support.server import RunningServer


@dataclass(frozen=True)
class Read:
    """What came: the details, and all of the data."""

    details: pb.ImageDetails
    data: bytes

    @property
    def picture(self) -> Image.Image:
        """What the data decode to."""
        picture = Image.open(io.BytesIO(self.data))
        picture.load()
        return picture


def read(
    server: RunningServer, guid: str, caller: str = "alice", **wanted: Unpack[ReadFields]
) -> Read:
    """Read to the end; `wanted` are fields of the request."""
    request = pb.GetImageBytesRequest(guid=guid, **wanted)
    with server.stub() as stub:
        metadata = server.metadata(caller)
        first, *rest = stub.GetImageBytes(request, metadata=metadata, timeout=TIMEOUT_SECONDS)
    return Read(first.details, b"".join(part.data for part in rest))
