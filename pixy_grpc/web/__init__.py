"""The gRPC server: turns messages into calls of the service, and back."""
