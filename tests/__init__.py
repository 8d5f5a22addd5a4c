"""The promises of PixyProxy, each held by a test."""
