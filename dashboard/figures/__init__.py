"""Figures of the pages, as pure functions of data."""
