"""Widgets: players, sliders, lists, fields and buttons."""
