"""Are sentences true? Each program is run again, on what the passes of its view show.

Nothing in here comes from what wrote the sentences: pixels are turned into places, colours and
names by code of its own, and an import contract keeps it so.
"""
