"""One module per format, each with an `Exporter`; `export/registry.py` knows them by name.

In here: a module per format and nothing that two of them share.
"""
