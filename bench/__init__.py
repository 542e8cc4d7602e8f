"""Benchmarks: each one command, each against a baseline in the same run."""
