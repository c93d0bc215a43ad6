"""Extract the dataset ``long`` with some encoders; print seconds and the peak memory in GB."""

import re
import sys
import time
from pathlib import Path

from pipelines.extract_features import extract_all

if __name__ == "__main__":
    began = time.perf_counter()
    extract_all(dataset="long", encoders=sys.argv[1].split(","))
    # Linux's own record of this program; getrusage would count its parent before the exec.
    status = Path("/proc/self/status").read_text()
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1e6
    print(time.perf_counter() - began, peak)
