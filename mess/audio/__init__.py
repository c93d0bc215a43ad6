"""Audio: decode, check and resample recordings; make clips, pictures and audio fingerprints."""
