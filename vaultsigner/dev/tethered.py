"""Runs a program that dies with us: `python tethered.py PARENT_PID PROGRAM ARGUMENTS...`.

A stand-alone script on the standard library alone, started as a file, so that it costs one short-lived interpreter.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Ties this process to its parent, then becomes the program; the kernel keeps the tie over exec."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the tie was there
        sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606 (no shell is wanted; the arguments are the caller's own)


if __name__ == "__main__":
    main()
