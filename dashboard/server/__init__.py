"""What the server answers beside the pages: sounds, reports, MLflow; and who may ask."""
