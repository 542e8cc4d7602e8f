"""Which assets, and which of their files: searched, filtered, planned; nothing is fetched here.

In here: decisions on what sites have said; what is fetched goes through `fetching`.
"""
