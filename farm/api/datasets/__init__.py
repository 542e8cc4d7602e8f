"""The datasets of jobs over HTTP: which files there are, their bytes, their records."""
