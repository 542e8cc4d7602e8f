"""Datasets in other tools' formats: one module per format behind one small interface."""
