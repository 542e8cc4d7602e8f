"""A drop-in for `blendtorch.btb`: scripts that were written for it run on the farm.

The farm drives the frames, renders and stores; a script's own loop and sockets are its.
"""

from worker.scripts.btb.drop_in import DropIn
from worker.scripts.btb.picture import Picture

__all__ = ["DropIn", "Picture"]
