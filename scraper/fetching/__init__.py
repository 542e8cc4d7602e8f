"""Bytes from the web: a polite HTTP client, files in pieces, archives unpacked in their folder."""
