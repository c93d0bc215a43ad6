"""Batch steps over a dataset: each reads files, writes files, and can be run again."""
