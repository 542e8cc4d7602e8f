"""Who gets in, what is theirs, and how much of it they may have.

In here: checks before every route, and what they ask. The cookie of a browser is in `browser`.
"""
