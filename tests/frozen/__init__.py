"""The real service with another clock. The product has no switch for that: its processes are started from here instead.

`python -m tests.frozen serve --config F` is `vaultsigner serve` at the time that stands in the file named by FROZEN_CLOCK.
"""
