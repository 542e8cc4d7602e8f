"""From a render to files and a record, or to samples of a stream.

In here: writers, one per way in which views are kept, what they write, and what a view must be
before it counts.
"""
