"""What jobs took, added up in Redis as workers finish views: no storage is walked for it.

In here: seconds by stage, views over time, the time of workers, textures that lack.
"""
