"""What a server tells of a creation, event by event."""

from pixy_grpc.v1 import image_service_pb2 as pb
from tests.e2e.client.details import details_of

ACCEPTED = pb.CreateImageStreamResponse(accepted=pb.CreationAccepted())
WAITING = pb.CreateImageStreamResponse(accepted=pb.CreationAccepted(waiting=True))
GENERATING = pb.CreateImageStreamResponse(generating=pb.CreationGenerating(generator="openai"))
PARTIAL = pb.CreateImageStreamResponse(
    partial_image=pb.PartialImage(index=1, content_type="image/webp", data=b"abc")
)
STORED = pb.CreateImageStreamResponse(stored=pb.CreationStored(size_bytes=7))
ANSWER = pb.CreateImageResponse(details=details_of())
CREATED = pb.CreateImageStreamResponse(created=ANSWER)
