"""The Python client of PixyProxy.

with Client() as client:
    creation = client.create("A red fox in the snow")
    client.download(creation.image.guid, "fox.png")
"""

from pixy_client.client import Client
from pixy_client.errors import (
    CallCancelledError,
    DeadlineExceededError,
    MissingTokenError,
    SettingsError,
    UnexpectedStatusError,
    UnreachableError,
    UnreadableAnswerError,
)
from pixy_client.results import Creation, Download, ImageBytes, ImagePage
from pixy_client.settings import ClientSettings
from pixy_client.streams import ImageStream
from pixy_grpc.core.exceptions import ImageCorruptError, ImageException, RecordNotFoundError
from pixy_grpc.core.models import Image, ImageFormat

__all__ = [
    "CallCancelledError",
    "Client",
    "ClientSettings",
    "Creation",
    "DeadlineExceededError",
    "Download",
    "Image",
    "ImageBytes",
    "ImageCorruptError",
    "ImageException",
    "ImageFormat",
    "ImagePage",
    "ImageStream",
    "MissingTokenError",
    "RecordNotFoundError",
    "SettingsError",
    "UnexpectedStatusError",
    "UnreachableError",
    "UnreadableAnswerError",
]
