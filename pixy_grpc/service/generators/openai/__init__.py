"""Images from OpenAI, or from any endpoint that speaks its Images API."""

from pixy_grpc.service.generators.openai.errors import NOTHING_SPENT
from pixy_grpc.service.generators.openai.generator import OpenAIGenerator
from pixy_grpc.service.generators.openai.network import Network
from pixy_grpc.service.generators.openai.profile import (
    COMPATIBLE,
    OPENAI,
    OPENAI_ANY_SIZE,
    PROFILES,
    Profile,
)
from pixy_grpc.service.generators.openai.settings import (
    OPENAI_BASE_URL,
    Defaults,
    Endpoint,
    Limits,
)

__all__ = [
    "COMPATIBLE",
    "NOTHING_SPENT",
    "OPENAI",
    "OPENAI_ANY_SIZE",
    "OPENAI_BASE_URL",
    "PROFILES",
    "Defaults",
    "Endpoint",
    "Limits",
    "Network",
    "OpenAIGenerator",
    "Profile",
]
