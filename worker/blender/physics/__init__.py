"""Things as solids, and how they fall: what Blender's Bullet needs of a model, and what it does."""
