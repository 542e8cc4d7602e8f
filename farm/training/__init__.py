"""Views for whoever trains on them, while they are rendered: begun, fetched, recorded, replayed."""
