"""Benchmarks: Earshot beside a naive baseline, from one run on one machine. `make bench` runs them."""
