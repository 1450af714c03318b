"""Benchmarks: each file measures one thing and returns rows; `python -m bench` prints them as one table."""
