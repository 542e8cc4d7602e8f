"""The routes, one module per group: read, call one plain function, answer."""
