"""`farm`: the command line; one file per group of commands.

In here: arguments and words for people. What a command does is in the package that it calls.
"""
