"""From arguments to a spec: flags, a YAML file, or flags over a file; and `farm spec`.

In here: nothing is rendered or sent; a spec comes out.
"""
