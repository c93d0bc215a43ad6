"""Probing: which layer of an encoder linearly encodes which proxy target."""
