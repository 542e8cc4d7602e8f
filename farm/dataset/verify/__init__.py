"""Is a dataset what its records say? Every view looked at, in a stream.

In here: one module per kind of check, and the report that counts what they find.
"""
