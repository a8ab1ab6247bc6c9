"""Custody gives up what it does not need, and refuses to start where it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaultsigner.custody.hardening import ALLOCATOR_ENVIRONMENT

SHOW = """
from vaultsigner.custody.hardening import HardeningError, apply_protections
import ctypes, resource
try:
    apply_protections()
except HardeningError as error:
    print("refused:", error)
else:
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
    print(resource.getrlimit(resource.RLIMIT_CORE), dumpable, status["NoNewPrivs"].strip())
"""


def run(environment: dict[str, str], *options: str) -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", SHOW],
        env={"PATH": os.defpath, **environment},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_all_protections_are_in_force() -> None:
    assert run(dict(ALLOCATOR_ENVIRONMENT), "-s") == "(0, 0) 0 1"


@pytest.mark.parametrize("missing", list(ALLOCATOR_ENVIRONMENT))
def test_without_the_allocator_settings_it_does_not_start(missing: str) -> None:
    environment = {name: value for name, value in ALLOCATOR_ENVIRONMENT.items() if name != missing}
    assert run(environment).startswith("refused: custody")


def test_isolated_mode_would_drop_the_allocator_without_a_word() -> None:
    """`python -E` and `-I` ignore PYTHONMALLOC though it stands in the environment."""
    assert run(dict(ALLOCATOR_ENVIRONMENT), "-E").startswith("refused: custody must run with PYTHONMALLOC")


@pytest.mark.parametrize(
    "weaker", ["", "glibc.malloc.perturb=0", "glibc.malloc.perturb=165", "glibc.malloc.tcache_count=0"]
)
def test_a_weaker_setting_is_not_enough(weaker: str) -> None:
    """Without `tcache_count` freed blocks wait in a cache as they are; without `perturb` nothing is poisoned at all."""
    environment = {**ALLOCATOR_ENVIRONMENT, "GLIBC_TUNABLES": weaker}
    assert run(environment).startswith("refused: custody needs glibc")
