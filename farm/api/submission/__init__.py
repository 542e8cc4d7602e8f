"""What a stranger submits: checked closely, then written down as a job.

In here: each rule for what may be submitted, as one sentence. No route, no ledger rule.
"""
