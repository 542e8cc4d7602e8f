"""What people call things: proposed from what is known of files, and where it must not be said."""
