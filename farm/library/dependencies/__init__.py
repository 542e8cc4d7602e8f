"""The files that a model or script needs beside its own: textures, buffers, libraries, modules.

In here: one module per file format, which finds names of files in what is written there.
"""
