"""How to render: one task in, files out."""
