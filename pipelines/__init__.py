"""Batch steps over a dataset: each reads files, writes files, and can be run again."""

import os

# Threads of OpenMP (torch, scikit-learn, FAISS) sleep while they wait for each other. By default
# they spin: beside any other busy program, an encoder then needs ten times as long.
# OpenMP reads this once, when the first of these libraries is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
