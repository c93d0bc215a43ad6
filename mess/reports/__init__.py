"""Reports: the comparison of encoders, and the report page of a discovery."""
