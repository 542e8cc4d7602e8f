"""Samples from where they are rendered to where they are used, without a disk between."""
