"""The files of chains as they lie on disk: their names, their lines, compressed or not.

Knows nothing of what a record means.
"""
