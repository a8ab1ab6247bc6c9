"""The record: one hash-chained JSON line for each thing that happened, on disk before anyone is told."""
