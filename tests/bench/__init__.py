"""Benchmarks: counts, and ratios within one run, on the emulated AWS; `make bench` runs them. Nothing here is a test."""
