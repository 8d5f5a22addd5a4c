"""Renditions that a folder of this machine keeps, and gives away."""
