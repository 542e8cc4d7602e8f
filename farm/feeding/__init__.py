"""Streams: which views are rendered for whom, and their samples until they are acknowledged."""
