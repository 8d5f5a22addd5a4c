"""The Python client of PixyProxy."""
