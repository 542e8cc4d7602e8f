"""Where the ledger is kept: one small Protocol, in Redis or in memory.

In here: atomic steps on what is kept. The rules are in the ledger; a store knows none of them.
"""
