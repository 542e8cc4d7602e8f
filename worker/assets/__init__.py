"""Assets on this machine: cached, laid out as their files expect, looked at before they are opened.

In here: files and folders alone; nothing of Blender.
"""
