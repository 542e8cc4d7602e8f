"""Commands that talk to a farm over HTTP: log in, submit, watch, steer, download."""
