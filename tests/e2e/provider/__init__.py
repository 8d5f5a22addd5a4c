"""Creations through a provider that is a real HTTP server, over the wire."""
