"""The farm's pages: what a browser shows of the API, which they are a client of.

In here: HTML that is made on the server, the scripts and styles that it loads, and the cookie that
stands for a token. Everything is served from the package; numbers show without scripts, too.
"""
