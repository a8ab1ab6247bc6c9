"""`vaultsigner serve`, but the launcher starts the two naive processes."""

from benchmarks.other_processes import serve_with

if __name__ == "__main__":
    serve_with(
        {"vaultsigner.server": "benchmarks.naive.server", "vaultsigner.custody": "benchmarks.naive.custody"}
    )
