"""What the library holds, as people look at it: by name, with pictures, licences and words.

In here: what the routes of assets ask. The library itself knows files by hash alone; what they are
called, and by which licence they come, is told by the jobs that took them.
"""
