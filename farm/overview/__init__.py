"""How a farm is as a whole, for its users and its operator: room, tokens, datasets.

In here: what `farm status` and `farm doctor` both tell, from the farm's storage.
"""
