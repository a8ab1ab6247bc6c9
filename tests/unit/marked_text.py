"""Texts with the expected place of a complaint marked in them."""

MARK = "«"


def unmarked(text: str) -> tuple[str, int, int]:
    """The text without its mark, and line and column (from 1) where the mark stood."""
    before, mark, after = text.partition(MARK)
    if not mark or MARK in after:
        raise ValueError("mark exactly one place")
    return before + after, before.count("\n") + 1, len(before) - before.rfind("\n")
