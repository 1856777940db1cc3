"""Benchmarks: counts, and ratios within one run, on the emulated AWS (`make bench`). Nothing here is a test."""
