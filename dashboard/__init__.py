"""The dashboard: reads what the pipelines wrote, starts them, draws."""
