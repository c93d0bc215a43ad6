"""Listening: ask people blind what the methods of search disagree about, and read their answers."""
