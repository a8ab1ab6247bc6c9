"""`vaultsigner serve`, but the launcher starts the two processes that measure nothing."""

from benchmarks.other_processes import serve_with

if __name__ == "__main__":
    serve_with(
        {
            "vaultsigner.server": "benchmarks.unmeasured.server",
            "vaultsigner.custody": "benchmarks.unmeasured.custody",
        }
    )
