"""config.yml to frozen settings, with every error told at once. Reads files; knows nothing of servers."""

from vaultsigner.config.loader import load
from vaultsigner.config.problems import ConfigProblems, Problem
from vaultsigner.config.settings import Settings

__all__ = ["ConfigProblems", "Problem", "Settings", "load"]
