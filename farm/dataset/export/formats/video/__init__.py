"""Formats of sequences: frames in time.

A module here writes one format, and `registry.py` names it. What they share is in `sequences.py`.
"""
