"""`python -sP -m vaultsigner.custody --config F --listen-fd N [...]`. The launcher starts it."""

import argparse
from collections.abc import Callable
from pathlib import Path

from vaultsigner.custody.hardening import HardeningError, apply_protections
from vaultsigner.custody.process_edge import guard_hooks, log_failure, log_to_stderr


def main(clock_ms: Callable[[], int] | None = None) -> int:
    """Protect the process, then import and run the rest; the exit status.

    Args:
        clock_ms: milliseconds since 1970, for whoever starts custody with another clock than the system's.
    """
    parser = argparse.ArgumentParser(prog="python -m vaultsigner.custody", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="config.yml")
    parser.add_argument("--listen-fd", type=int, required=True, help="the listening Unix socket")
    parser.add_argument(
        "--token-fd", type=int, default=None, help="the Vault token's file, opened for reading"
    )
    parser.add_argument(
        "--keepsake-fd", type=int, default=None, help="socket with memory that outlives this process"
    )
    parser.add_argument(
        "--look-only",
        action="store_true",
        help="use up nothing that is good for one use (a wrapped secret id)",
    )
    parser.add_argument("--config-digest", default=None, help="the only config.yml to start with, sha256:...")
    parser.add_argument(
        "--after-crash", action="store_true", help="there was a custody process before this one"
    )
    arguments = parser.parse_args()
    log_to_stderr()
    guard_hooks()
    try:
        apply_protections()
    except HardeningError as error:
        log_failure("not_started", error)
        return 1
    # Only now: what is imported below must already be under protection when it runs.
    from vaultsigner.custody.process import run  # noqa: PLC0415

    return run(
        arguments.config,
        arguments.listen_fd,
        arguments.token_fd,
        keepsake_descriptor=arguments.keepsake_fd,
        look_only=arguments.look_only,
        config_digest=arguments.config_digest,
        clock_ms=clock_ms,
        after_crash=arguments.after_crash,
    )


if __name__ == "__main__":
    raise SystemExit(main())
