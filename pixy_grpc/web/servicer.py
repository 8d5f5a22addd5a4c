"""The RPCs of the contract, each in the terms of its use case."""

from collections.abc import Iterator
from dataclasses import dataclass

import grpc

from pixy_grpc.service.catalogue import ImageCatalogue
from pixy_grpc.service.creation import ImageCreation
from pixy_grpc.service.delivery import ImageDelivery
from pixy_grpc.v1 import image_service_pb2 as pb
from pixy_grpc.v1 import image_service_pb2_grpc as pb_grpc
from pixy_grpc.web import conversion as to
from pixy_grpc.web.encoding import data_head
from pixy_grpc.web.narration import Narration
from pixy_grpc.web.pace import Pace
from pixy_grpc.web.scope import current_call


@dataclass(frozen=True)
class UseCases:
    """What the servicer calls."""

    creation: ImageCreation
    catalogue: ImageCatalogue
    delivery: ImageDelivery


class ImageServicer(pb_grpc.ImageServiceServicer):
    """pixy.v1.ImageService; what each RPC does and raises stands in the proto."""

    def __init__(self, use_cases: UseCases, pace: Pace, narration: Narration) -> None:
        self._creation = use_cases.creation
        self._catalogue = use_cases.catalogue
        self._delivery = use_cases.delivery
        self._pace = pace
        self._narration = narration

    def CreateImage(  # noqa: N802 - the contract's name
        self, request: pb.CreateImageRequest, context: grpc.ServicerContext
    ) -> pb.CreateImageResponse:
        """Make an image."""
        return to.create_response(
            self._creation.create(to.creation_request(request), current_call(context))
        )

    def CreateImageStream(  # noqa: N802 - the contract's name
        self, request: pb.CreateImageStreamRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.CreateImageStreamResponse]:
        """Make an image, and tell how far it has come."""
        return self._narration.told(
            lambda progress: self._creation.create(
                to.creation_request(request.creation), current_call(context, progress)
            ),
            request.partial_images,
            context,
        )

    def GetImageDetails(  # noqa: N802 - the contract's name
        self, request: pb.GetImageDetailsRequest, context: grpc.ServicerContext
    ) -> pb.GetImageDetailsResponse:
        """Return details."""
        image = self._catalogue.get(request.guid, current_call(context))
        return pb.GetImageDetailsResponse(details=to.details(image))

    def ListImageDetails(  # noqa: N802 - the contract's name
        self, request: pb.ListImageDetailsRequest, context: grpc.ServicerContext
    ) -> pb.ListImageDetailsResponse:
        """Return a page."""
        return to.list_response(
            self._catalogue.list_page(
                to.image_filter(request),
                page_size=request.page_size,
                page_token=request.page_token,
                call=current_call(context),
            )
        )

    def GetImageBytes(  # type: ignore[override]  # noqa: N802 - its name; some is encoded
        self, request: pb.GetImageBytesRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.GetImageBytesResponse | bytes]:
        """Stream bytes at the reader's pace, within limits."""
        wanted, call = to.wanted_bytes(request), current_call(context)
        with self._delivery.open(request.guid, wanted, call, data_head) as delivery:
            responses = to.bytes_responses(delivery)
            yield from self._pace.kept(responses, context)

    def UpdateImage(  # noqa: N802 - the contract's name
        self, request: pb.UpdateImageRequest, context: grpc.ServicerContext
    ) -> pb.UpdateImageResponse:
        """Change details."""
        image = self._catalogue.update(request.guid, to.changes(request), current_call(context))
        return pb.UpdateImageResponse(details=to.details(image))

    def DeleteImage(  # noqa: N802 - the contract's name
        self, request: pb.DeleteImageRequest, context: grpc.ServicerContext
    ) -> pb.DeleteImageResponse:
        """Remove an image."""
        self._catalogue.delete(
            request.guid, allow_missing=request.allow_missing, call=current_call(context)
        )
        return pb.DeleteImageResponse()
