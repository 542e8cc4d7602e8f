"""Assets from the web into a folder or the library."""
