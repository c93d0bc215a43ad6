"""Parts of pages: they arrange widgets and figures."""
