"""Small real implementations of the ports, in memory: they pass the ports' own suites."""

from tests.fakes.clock import FixedClock
from tests.fakes.creations import InMemoryCreationRepository
from tests.fakes.generator import GeneratorRequest, Outcome, ScriptedGenerator
from tests.fakes.inventory import InMemoryInventory
from tests.fakes.renditions import InMemoryRenditionCache
from tests.fakes.repository import DETAILS_BYTES, InMemoryImageRepository, meets
from tests.fakes.spool import InMemorySpool
from tests.fakes.store import InMemoryBytes, InMemoryImageStore

__all__ = [
    "DETAILS_BYTES",
    "FixedClock",
    "GeneratorRequest",
    "InMemoryBytes",
    "InMemoryCreationRepository",
    "InMemoryImageRepository",
    "InMemoryImageStore",
    "InMemoryInventory",
    "InMemoryRenditionCache",
    "InMemorySpool",
    "Outcome",
    "ScriptedGenerator",
    "meets",
]
