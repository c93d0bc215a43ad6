"""Doses: recordings are changed by known steps, and probes that never saw them are asked."""
