"""Which assets, and which of their files: searched, filtered, planned; nothing is fetched here."""
