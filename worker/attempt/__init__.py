"""One attempt at a task, from the message to the ledger: the door of the renderer's process.

In here: what knows tickets, leases and logs. How pictures come about is in `render`.
"""
