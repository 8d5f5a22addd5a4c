"""The promises of the client and of `pixy`, over the wire, to a scripted server."""
