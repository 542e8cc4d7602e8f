"""Bytes from the web: a polite HTTP client, files in pieces, archives unpacked in their folder.

In here: the only code that opens a connection.
"""
