"""One probing experiment: its rows, its record, its controls."""
