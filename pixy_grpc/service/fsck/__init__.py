"""Checking all that is stored: rows, bytes, and what lies between them."""

from pixy_grpc.service.fsck.findings import (
    Action,
    Event,
    Fault,
    Finding,
    Progress,
    Repair,
    Step,
    TooManyOrphansError,
)
from pixy_grpc.service.fsck.fsck import Fsck
from pixy_grpc.service.fsck.parts import Counts, FsckLimits, FsckParts, Tasks

__all__ = [
    "Action",
    "Counts",
    "Event",
    "Fault",
    "Finding",
    "Fsck",
    "FsckLimits",
    "FsckParts",
    "Progress",
    "Repair",
    "Step",
    "Tasks",
    "TooManyOrphansError",
]
