"""Tracking: record runs in MLflow, and read them."""
