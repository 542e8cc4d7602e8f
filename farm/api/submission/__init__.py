"""What a stranger submits: checked closely, then written down as a job."""
