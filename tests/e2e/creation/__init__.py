"""Creations over the wire, on real databases, through crashes."""
