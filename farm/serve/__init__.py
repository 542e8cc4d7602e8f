"""The dispatcher as a service: it feeds the workers and finishes what they have rendered.

In here: what runs beside the dispatcher on a server; the loop itself is `farm.dispatcher`.
"""
