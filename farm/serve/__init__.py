"""The dispatcher as a service: it feeds the workers and finishes what they have rendered."""
