"""Lanes: the measured curve of a recording, and beside it what layers predict of it."""
