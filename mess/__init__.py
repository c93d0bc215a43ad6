"""MESS: hear what a music model knows.

The library is pure: arrays and paths in, arrays and results out. Audio flows one way,
through features and proxy targets to probes, aspects, an index and recommendations;
`mess.storage.store` alone knows where each of them lies on disk.
"""

__version__ = "0.1.0"
