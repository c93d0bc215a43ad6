"""Parts of pages: they hold widgets, and lay out what components draw."""
