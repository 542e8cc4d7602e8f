"""The farm's API: FastAPI in front, plain functions behind."""
