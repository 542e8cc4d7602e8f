"""Where the time of a dataset's tasks went, from the traces that their workers took."""
