"""What a stranger's file may not do in Blender: run code, read other files, take all memory.

In here: what distrusts a file, before and after its import.
"""
