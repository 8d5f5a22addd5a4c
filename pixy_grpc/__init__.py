"""PixyProxy over gRPC: creates images from prompts, stores them and serves them."""
