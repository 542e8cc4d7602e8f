"""One module per format, each with an `Exporter`; `export/registry.py` knows them by name."""
