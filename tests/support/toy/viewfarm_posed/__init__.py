"""A second recipe of that package: a scene seen by cameras that stand where matrices say."""
