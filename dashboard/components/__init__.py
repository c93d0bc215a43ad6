"""Figures, players and sliders: pure functions of data."""
