"""What operators do with workers, and how a crowd of them is shown."""
