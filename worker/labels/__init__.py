"""Labels from Cycles' passes and the geometry of the scene; numpy alone."""
