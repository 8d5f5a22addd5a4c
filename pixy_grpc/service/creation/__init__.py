"""Creating an image: paid for once, kept once it is paid for."""

from pixy_grpc.service.creation.creation import ImageCreation
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.order import CreationRequest
from pixy_grpc.service.creation.parts import CreatedImage, CreationParts

__all__ = [
    "CreatedImage",
    "CreationLimits",
    "CreationParts",
    "CreationRequest",
    "ImageCreation",
]
