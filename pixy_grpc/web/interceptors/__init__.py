"""What every RPC passes on its way in, outermost first: see `pixy_grpc.web.server`."""
