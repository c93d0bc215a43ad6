"""Results for a reader: the comparison of encoders and the report page."""
