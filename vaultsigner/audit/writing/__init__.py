"""Adding to a chain: one writer, one lock, whatever the disk or a crash does.

Knows what a line is, and nothing of who wants it read.
"""
