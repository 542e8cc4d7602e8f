"""What a dataset covers, counted in one pass and drawn as one picture."""
