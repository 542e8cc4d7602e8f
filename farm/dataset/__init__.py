"""What to do with a dataset once views are rendered: read, collect, preview."""
