"""HDR environments as their headers mean them: upright, whole, in the light of the scene."""
