"""Points in space that are followed from frame to frame; numpy only."""
