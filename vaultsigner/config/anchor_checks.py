"""What only shows when anchors, and the record that they are to vouch for, are seen together."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from vaultsigner.config.models import AuditModel
from vaultsigner.config.report import Report
from vaultsigner.config.tree import Entry, check_unique, entries, texts
from vaultsigner.strict_yaml import YamlPath, YamlValue

_PLACE: YamlPath = ("audit", "anchors")
_OWN_MEMBERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "directory": (),
        "url": ("ca_cert",),
        "bucket": ("prefix", "region", "endpoint_url", "retain_days", "mode"),
    }
)


def check_anchors(tree: Entry, report: Report) -> None:
    """Names and places are unique, each apart from the record itself, and there is something to keep there."""
    audit = tree.get("audit")
    if not isinstance(audit, dict):
        return
    anchors = audit.get("anchors")
    names: dict[str, int] = {}
    for index, anchor in entries(anchors):
        check_unique(anchor.get("name"), index, names, (*_PLACE, index, "name"), report)
        _check_members(anchor, (*_PLACE, index), report)
    _check_places(anchors, report)
    _check_directories(audit, report)
    if anchors and audit.get("checkpoint_key") is None:
        hint = "add `checkpoint_key: transit:transit/audit-checkpoints`; `vaultsigner vault setup` makes that key"
        report.add(
            _PLACE, "an anchor keeps signed checkpoints, and there is no key to sign them", hint, at_key=True
        )
    accepted: dict[str, int] = {}
    for index, name in texts(audit.get("accepted_rollbacks")):
        check_unique(name, index, accepted, ("audit", "accepted_rollbacks", index), report)


def _check_members(anchor: Entry, path: YamlPath, report: Report) -> None:
    """A member that does nothing would be taken to do something."""
    kinds = [kind for kind in _OWN_MEMBERS if anchor.get(kind) is not None]
    if len(kinds) != 1:
        return
    for kind, members in _OWN_MEMBERS.items():
        for member in members:
            if kind != kinds[0] and anchor.get(member) is not None:
                message = f"this is for an anchor with a {kind}; this one has a {kinds[0]}"
                report.add((*path, member), message, "remove it", at_key=True)


def _check_places(anchors: YamlValue, report: Report) -> None:
    """Two anchors in one place are one, and look like two."""
    first: dict[tuple[object, ...], int] = {}
    for index, anchor in entries(anchors):
        url, bucket = anchor.get("url"), anchor.get("bucket")
        places = {
            "url": ("url", url.rstrip("/") if isinstance(url, str) else None),
            "bucket": ("bucket", bucket, anchor.get("prefix"), anchor.get("endpoint_url")),
        }
        for member, place in places.items():
            if place[1] is not None and first.setdefault(place, index) != index:
                message = f"entry [{first[place]}] of this list has this place already"
                report.add((*_PLACE, index, member), message, "keep each place once")


def _check_directories(audit: Entry, report: Report) -> None:
    """Whoever can change the record must not find its anchors beside it, nor the service take them for chains."""
    record = audit.get("directory", str(AuditModel.model_fields["directory"].default))
    taken = {"the record (audit.directory)": Path(record)} if isinstance(record, str) and record else {}
    for index, directory in _directories(audit):
        for what, other in taken.items():
            if _overlap(directory, other):
                message = f"this is the directory of {what}, or lies in it, or around it"
                hint = "write a directory of its own, best on another disk or another machine's"
                report.add((*_PLACE, index, "directory"), message, hint)
        taken[f"entry [{index}] of this list"] = directory


def _directories(audit: Entry) -> Iterator[tuple[int, Path]]:
    for index, anchor in entries(audit.get("anchors")):
        directory = anchor.get("directory")
        if isinstance(directory, str) and directory:
            yield index, Path(directory)


def _overlap(one: Path, other: Path) -> bool:
    """Links count as what they lead to, as far as there is something already."""
    try:
        first, second = one.resolve(), other.resolve()
    except (OSError, ValueError, RuntimeError):
        first, second = one.absolute(), other.absolute()
    return first.is_relative_to(second) or second.is_relative_to(first)
