"""Search: from validated probes to aspects, from aspects to the most similar tracks."""
