"""Recordings as samples: decoding, checking and resampling files; clips, pictures, fingerprints."""
