"""From a task to files and records: rendered, checked, written.

In here: what is done for every view or product, whatever the recipe. It knows no ledger and no
Celery; where things are set up in Blender is in `recipes` and `blender`.
"""
