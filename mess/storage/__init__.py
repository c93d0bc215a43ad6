"""Artifacts on disk: a module for each kind, with its paths, its reader and its writer.

`mess.storage.store` lists the kinds. Only this package writes files.
"""
