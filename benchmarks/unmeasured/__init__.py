"""The service without what measures it: no counters, no histograms, no steps.

Only for comparison: `python -m benchmarks.unmeasured serve --config F` is `vaultsigner serve` with these two processes.
"""
