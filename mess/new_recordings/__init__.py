"""Recordings that are not in the dataset: uploads, and their place in a trained space."""
