"""`farm words`: what objects are called."""
