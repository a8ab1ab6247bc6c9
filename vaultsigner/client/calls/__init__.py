"""What can be asked for: each function says which request that is and how its answer is read; none of them does anything."""
