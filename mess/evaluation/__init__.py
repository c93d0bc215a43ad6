"""Evaluation: measure whether the ranking of each aspect follows what its name says."""
