"""Anchors: where else checkpoints are kept, so that a record which was rewritten or cut off shows."""
