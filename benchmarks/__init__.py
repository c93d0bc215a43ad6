"""What things cost on this machine, each beside a plain implementation in the same run.

python -m benchmarks
"""
