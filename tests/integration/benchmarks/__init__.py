"""Services that the benchmarks compare ours with."""
