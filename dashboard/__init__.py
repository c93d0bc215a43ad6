"""The dashboard: reads what the pipelines wrote, starts them, draws."""

import logging

# Streamlit says so of each cached function that is declared before its server runs; that is all.
logging.getLogger("streamlit.runtime.caching.cache_data_api").addFilter(
    lambda record: not record.getMessage().startswith("No runtime found")
)
