"""Search: aspects, the index of a dataset, and the recommendation of similar tracks."""
