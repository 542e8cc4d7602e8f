"""A recipe in a package of its own: the frames of a scene, seen by each of its cameras."""
