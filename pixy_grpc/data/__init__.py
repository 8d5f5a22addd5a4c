"""Keeps images: their rows in SQLite or MySQL, their bytes in a folder."""
