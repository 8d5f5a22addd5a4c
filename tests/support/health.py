"""The stub of grpc.health.v1, with the types of its methods, which its stub files leave out."""

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse


class HealthStub(health_pb2_grpc.HealthStub):
    """Asks how a server is."""

    Check: "grpc.UnaryUnaryMultiCallable[HealthCheckRequest, HealthCheckResponse]"
    Watch: "grpc.UnaryStreamMultiCallable[HealthCheckRequest, HealthCheckResponse]"
