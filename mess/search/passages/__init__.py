"""Passages: search among the segments of recordings."""
