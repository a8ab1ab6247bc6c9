"""`python -m vaultsigner` is the command line."""

from vaultsigner.cli import main

if __name__ == "__main__":
    main()
