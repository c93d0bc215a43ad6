"""What is ready, missing, damaged or stale in a data root."""
