"""The shared vocabulary: frozen models and the plain functions on them; no I/O."""
