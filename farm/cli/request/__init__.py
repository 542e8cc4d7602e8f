"""From arguments to a spec: flags, a YAML file, or flags over a file; and `farm spec`."""
