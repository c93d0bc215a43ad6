"""New recordings: uploaded files, and their coordinates in an existing index."""
