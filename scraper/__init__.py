"""Assets from the web, or from a folder, into a folder that `farm render` takes."""
