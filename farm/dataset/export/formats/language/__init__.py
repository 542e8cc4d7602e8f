"""Formats of sentences: what they mean in pictures.

A module here writes one format, and `registry.py` names it. What they share is in `sentences.py`;
`coco_entries.py` has what several have of COCO, `rows.py` what those in Parquet have, `borders.py`
polygons with few points.
"""
