"""Links in the texts as they lie in the repository lead to files and headings that are there."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
TEXTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """Headings, as GitHub makes places of them."""
    text = re.sub(r"^(```|~~~).*?^\1", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.*?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(text: Path) -> None:
    for target in _LINK.findall(_CODE.sub("", text.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (text.parent / path).resolve() if path else text
        assert there.exists(), target
        assert there.is_relative_to(REPOSITORY), target
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), target
