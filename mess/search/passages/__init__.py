"""Search among segments of recordings."""
