"""The promises of the client and of `pixy` that need no I/O."""
