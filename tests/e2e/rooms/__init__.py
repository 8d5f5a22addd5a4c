"""Tests of what one caller's bad behaviour may do to others."""
