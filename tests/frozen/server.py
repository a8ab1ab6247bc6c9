"""The product's server process with the test's clock; with FROZEN_NAIVE set, each process remembers nonces for itself alone."""

import os
import sys
from functools import partial

from tests.frozen.clock import NAIVE_VARIABLE, clock_of_the_test
from tests.frozen.naive import forget_what_others_saw
from vaultsigner.server import __main__ as server
from vaultsigner.signing.assemble import assembled

if __name__ == "__main__":
    vars(server)["assembled"] = partial(assembled, clock=clock_of_the_test())
    if NAIVE_VARIABLE in os.environ:
        forget_what_others_saw()
    sys.exit(server.main())
