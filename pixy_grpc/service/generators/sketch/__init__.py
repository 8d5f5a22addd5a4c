"""The generator that needs no provider: it draws what it finds in the prompt, offline."""

from pixy_grpc.service.generators.sketch.generator import SketchGenerator

__all__ = ["SketchGenerator"]
