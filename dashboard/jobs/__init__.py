"""Pipelines as jobs: what can be started, the queue on disk, the runner, the panel."""
