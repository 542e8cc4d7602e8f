"""What a dataset covers, counted in one pass and drawn as one picture.

In here: numbers in `gather`, the picture in `chart`; neither knows a recipe.
"""
