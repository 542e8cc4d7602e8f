"""The farm on one machine: a private Redis, workers, the dispatcher; up, and down again."""
