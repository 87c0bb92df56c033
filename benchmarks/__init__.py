"""The figures: each a ratio to a bare limit that is measured in the same run. `make bench`, or `python -m benchmarks lookup --quick`."""
