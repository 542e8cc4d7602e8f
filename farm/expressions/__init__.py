"""Sentences about what a view shows, each with a program that is true of exactly its targets.

`farm dataset verify` checks them by code of its own, which imports nothing from here.
"""
