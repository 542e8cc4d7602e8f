"""Processes of this machine that farms consist of, and the ports and folders that these take.

In here: how each is started and ended. Who needs which is decided by the rooms above.
"""
