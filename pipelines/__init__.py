"""Batch steps over a dataset: each reads files, writes files, and can be run again."""

import os

# How long threads of OpenMP (torch, scikit-learn, FAISS) spin before they sleep when they wait for
# each other. By default GNU's OpenMP spins without end: beside any other busy program, an encoder
# needs ten times as long. Without spinning, it needs one and a half times as long on an idle
# machine. The libraries read this once, when the first of them is loaded.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
