"""What `vaultsigner check` found of an anchor. Pure."""

from dataclasses import dataclass
from typing import Literal

Mark = Literal["ok", "warn", "FAIL", "-"]


@dataclass(frozen=True, slots=True)
class AnchorFinding:
    """One of `audit.anchors`.

    Args:
        kind: directory, witness or bucket.
        required: a start fails where it cannot be asked.
        found: what it is and can do, in words; None where it was not tried, or has a problem.
        problem: why it would keep nothing.
        caution: what makes it worth less than it looks.
        obstacles: why a start would be refused after asking it, also where it is not required.
    """

    name: str
    kind: str
    required: bool
    found: str | None = None
    problem: str | None = None
    caution: str | None = None
    obstacles: tuple[str, ...] = ()


def told(anchor: AnchorFinding) -> list[tuple[Mark, str]]:
    """Marks and lines. An anchor that a start can do without is no failure."""
    what = f"anchor {anchor.name} ({anchor.kind}): "
    if anchor.problem is not None:
        return [("FAIL" if anchor.required else "warn", f"{what}{anchor.problem}")]
    if anchor.found is None:
        return [("-", f"{what}not tried")]
    lines: list[tuple[Mark, str]] = [("ok", f"{what}{anchor.found}")]
    if anchor.caution:
        lines.append(("warn", f"{what}{anchor.caution}"))
    return [*lines, *(("FAIL", obstacle) for obstacle in anchor.obstacles)]
