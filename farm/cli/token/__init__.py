"""`farm token`: who may ask a farm for what, until when and how much.

In here: the commands, and what their options say. What a token is is in `farm.tokens`.
"""
