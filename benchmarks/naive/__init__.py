"""The service without what hides why a signature failed: no decoy secret is read, and answers leave when they are ready.

Only for comparison: `python -m benchmarks.naive serve --config F` is `vaultsigner serve` with these two processes.
"""
