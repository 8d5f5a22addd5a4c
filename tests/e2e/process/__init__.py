"""Tests of the program as it is run: its processes, its signals, its end."""
