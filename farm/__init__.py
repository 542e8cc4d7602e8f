"""What to render, and the doors to ask for it."""
