"""Datasets as people look at them: a contact sheet, one view with its passes, a page.

In here: drawing and colours; what is drawn is read by `reader`.
"""
