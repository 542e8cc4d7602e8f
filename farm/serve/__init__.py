"""The dispatcher as a service: it feeds the workers and finishes their datasets.

In here: what runs beside the dispatcher on a server; the loop itself is `farm.dispatcher`.
"""
