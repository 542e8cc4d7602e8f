"""Commands that talk to a farm over HTTP: log in, submit, watch, steer, download.

In here: commands that cannot work without a farm; `farm_options` is what they share.
"""
