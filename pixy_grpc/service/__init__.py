"""The use cases: what happens when an image is created, read, listed, changed or deleted."""
