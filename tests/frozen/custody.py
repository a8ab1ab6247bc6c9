"""The product's custody process with the test's clock."""

from tests.frozen.clock import clock_of_the_test
from vaultsigner.custody.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main(clock_ms=clock_of_the_test().milliseconds))
