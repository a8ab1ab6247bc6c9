"""A server that answers a failed signature at once."""

import sys

from vaultsigner.server.__main__ import main
from vaultsigner.signing import authenticator

if __name__ == "__main__":
    vars(authenticator)["TICK_SECONDS"] = 1e-6
    sys.exit(main())
