"""Submissions of strangers: checked closely, then written down as jobs.

In here: each rule for what may be submitted, as one sentence. No route, no ledger rule.
"""
