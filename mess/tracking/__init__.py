"""Experiments in MLflow: recording runs and reading them."""
