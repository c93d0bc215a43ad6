"""Extract the dataset ``long`` with one encoder; print seconds and the peak memory in GB."""

import resource
import sys
import time

from pipelines.extract_features import extract_features

if __name__ == "__main__":
    began = time.perf_counter()
    extract_features(dataset="long", encoder=sys.argv[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(time.perf_counter() - began, peak)
