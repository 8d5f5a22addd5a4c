"""What an error of gRPC carries beside its code and text."""

import grpc
from google.rpc import status_pb2
from grpc_status import rpc_status


def status_of(error: grpc.RpcError) -> status_pb2.Status | None:
    """Return the status that the service put into an error, None where it put none."""
    return rpc_status.from_call(error)  # type: ignore[arg-type]  # raised by a call, it is a Call
