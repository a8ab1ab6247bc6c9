"""Finding records: filters, sums and the latest, by DuckDB in a process of its own. Proves nothing.

Knows nothing of who asks.
"""
