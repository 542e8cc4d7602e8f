"""What each file format of models needs beside Blender's importer: mended, told, finished.

In here: one module per format, or per thing that several formats share.
"""
