"""The dashboard: it reads and draws what the pipelines wrote, and starts pipelines."""

import logging

# Streamlit warns of each cached function that is declared before its server runs: harmless here.
logging.getLogger("streamlit.runtime.caching.cache_data_api").addFilter(
    lambda record: not record.getMessage().startswith("No runtime found")
)
