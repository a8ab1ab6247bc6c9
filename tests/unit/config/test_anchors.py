"""Section `audit` of config.yml: where else checkpoints go, when files are closed, and which rollbacks were accepted."""

from pathlib import Path

import pytest

from tests.unit.config.loading import Loading
from vaultsigner.config.anchor_settings import BucketAnchor, DirectoryAnchor, WitnessAnchor
from vaultsigner.config.settings import AuditSettings

KEY = "checkpoint_key: transit:transit/audit-checkpoints"
CHAIN = "00000000000000aa"


def anchors(*entries: str) -> str:
    return f"audit: {{directory: /srv/audit, {KEY}, anchors: [{', '.join(entries)}]}}"


def test_every_kind_of_anchor(loading: Loading) -> None:
    text = f"""
audit:
  directory: /srv/audit
  {KEY}
  rotate_megabytes: 16
  anchors:
    - {{name: second-disk, directory: /mnt/anchors}}
    - {{name: witness, url: "https://witness.example/vaultsigner/", ca_cert: ca.pem, required: false}}
    - {{name: worm, bucket: my-bucket, prefix: desk/, region: eu-west-1, endpoint_url: null, retain_days: 3650,
        mode: governance}}
    - {{name: minio, bucket: other, endpoint_url: "http://127.0.0.1:9000", retain_days: 1}}
  accepted_rollbacks: ["{CHAIN}:1042", "state:{CHAIN}:7"]
"""
    audit = loading.settings(text).audit
    assert audit.rotate_bytes == 16_000_000
    assert audit.accepted_rollbacks == {f"{CHAIN}:1042", f"state:{CHAIN}:7"}
    assert audit.anchors == (
        DirectoryAnchor("second-disk", Path("/mnt/anchors")),
        WitnessAnchor("witness", "https://witness.example/vaultsigner", Path("ca.pem"), required=False),
        BucketAnchor("worm", "my-bucket", 3650, "desk/", "governance", "eu-west-1"),
        BucketAnchor("minio", "other", 1, endpoint_url="http://127.0.0.1:9000"),
    )


def test_what_is_left_out(loading: Loading) -> None:
    audit = loading.settings("audit: {directory: a, anchors: null, accepted_rollbacks: null}").audit
    assert audit == AuditSettings(Path("a"), None, 1000, 256_000_000, (), frozenset())
    (worm,) = loading.settings(anchors("{name: w, bucket: abc, retain_days: 1, prefix: ''}")).audit.anchors
    assert isinstance(worm, BucketAnchor)
    assert (worm.prefix, worm.mode, worm.required) == ("", "compliance", True)


def test_members_of_anchors_from_the_environment(loading: Loading) -> None:
    text = anchors("{name: w, bucket: abc, retain_days: 1}", "{name: d, directory: /mnt/a}")
    environ = {
        "VAULTSIGNER_AUDIT__ANCHORS__0__RETAIN_DAYS": "30",
        "VAULTSIGNER_AUDIT__ANCHORS__0__REGION": "eu-west-1",
        "VAULTSIGNER_AUDIT__ANCHORS__1__REQUIRED": "false",
        "VAULTSIGNER_AUDIT__ACCEPTED_ROLLBACKS": f'["{CHAIN}:3"]',
    }
    audit = loading.settings(text, environ).audit
    bucket, directory = audit.anchors
    assert bucket == BucketAnchor("w", "abc", 30, region="eu-west-1")
    assert not directory.required
    assert audit.accepted_rollbacks == {f"{CHAIN}:3"}


def at(member: str) -> str:
    return f"audit.anchors[0]{member}"


WRONG = [
    (anchors("«{name: a}"), at(""), "not said where", "exactly one of directory, url and bucket"),
    (
        anchors("«{name: a, directory: /mnt/a, url: 'https://w'}"),
        at(""),
        "in one place",
        "exactly one of directory, url and bucket",
    ),
    (anchors("«{name: a, bucket: abc}"), at(""), "retain_days is missing", "retain_days: 3650"),
    (anchors("{name: a, bucket: abc, retain_days: «0}"), at(".retain_days"), "at least 1", "number"),
    (
        anchors("{name: a, directory: /mnt/a, «prefix: p/}"),
        at(".prefix"),
        "this is for an anchor with a bucket; this one has a directory",
        "remove",
    ),
    (
        anchors("{name: a, bucket: abc, retain_days: 1, «ca_cert: x}"),
        at(".ca_cert"),
        "an anchor with a url",
        "remove",
    ),
    (anchors("{name: «'a b', directory: /mnt/a}"), at(".name"), "no usable name", "letters"),
    (
        anchors("{name: a, url: «'http://witness.example'}"),
        at(".url"),
        "http to another machine lets anybody",
        "https://",
    ),
    (anchors("{name: a, url: «'https://w/a/../b'}"), at(".url"), "empty steps or dots", "witness.example"),
    (anchors("{name: a, url: «'https://w?x=1'}"), at(".url"), "no query", "witness.example"),
    (anchors("{name: a, url: «'https://u:p@w'}"), at(".url"), "user name or a password", "witness.example"),
    (
        anchors("{name: a, bucket: abc, retain_days: 1, endpoint_url: «'http://minio.example'}"),
        at(".endpoint_url"),
        "http to another machine",
        "https://",
    ),
    (
        anchors("{name: a, bucket: abc, retain_days: 1, endpoint_url: «'https://minio.example/x'}"),
        at(".endpoint_url"),
        "no path",
        "host and port",
    ),
    (anchors("{name: a, bucket: «Abc, retain_days: 1}"), at(".bucket"), "no bucket's name", "lower-case"),
    (anchors("{name: a, bucket: «abc/def, retain_days: 1}"), at(".bucket"), "no bucket's name", "prefix"),
    (anchors("{name: a, bucket: «192.168.5.4, retain_days: 1}"), at(".bucket"), "no bucket's name", ""),
    (anchors("{name: a, bucket: abc, retain_days: 1, prefix: «x}"), at(".prefix"), "no prefix", "slash"),
    (anchors("{name: a, bucket: abc, retain_days: 1, prefix: «/x/}"), at(".prefix"), "no prefix", "slash"),
    (anchors("{name: a, bucket: abc, retain_days: 1, prefix: «../}"), at(".prefix"), "no prefix", "slash"),
    (
        anchors("{name: a, bucket: abc, retain_days: 1, mode: «complience}"),
        at(".mode"),
        "no such mode",
        "did you mean compliance?",
    ),
    (
        anchors("{name: a, bucket: abc, retain_days: 1, region: «'eu west'}"),
        at(".region"),
        "no region",
        "eu-west-1",
    ),
    (anchors("{name: a, directory: /mnt/a, required: «maybe}"), at(".required"), "true or false", "quotes"),
    (
        anchors("{name: a, directory: /mnt/a}", "{name: «a, directory: /mnt/b}"),
        "audit.anchors[1].name",
        "entry [0] of this list has this name already",
        "once",
    ),
    (
        anchors("{name: a, url: 'https://w/x'}", "{name: b, url: «'https://w/x/'}"),
        "audit.anchors[1].url",
        "entry [0] of this list has this place already",
        "once",
    ),
    (
        anchors("{name: a, bucket: abc, retain_days: 1}", "{name: b, bucket: «abc, retain_days: 2}"),
        "audit.anchors[1].bucket",
        "entry [0] of this list has this place already",
        "once",
    ),
    (
        anchors("{name: a, directory: /mnt/a}", "{name: b, directory: «/mnt/x/../a/b}"),
        "audit.anchors[1].directory",
        "the directory of entry [0] of this list, or lies in it, or around it",
        "another disk",
    ),
    (
        "audit: {«anchors: [{name: a, directory: /mnt/a}]}",
        "audit.anchors",
        "no key to sign them",
        "checkpoint_key: transit:transit/audit-checkpoints",
    ),
    ("audit: {rotate_megabytes: «0}", "audit.rotate_megabytes", "at least 1", "number"),
    ("audit: {rotate_megabytes: «10241}", "audit.rotate_megabytes", "at most 10240", "number"),
    (
        "audit: {accepted_rollbacks: [«'aa:1']}",
        "audit.accepted_rollbacks[0]",
        "names no anchored checkpoint",
        "CHAIN:SIZE",
    ),
    (f"audit: {{accepted_rollbacks: [«'{CHAIN}:0']}}", "audit.accepted_rollbacks[0]", "names no", "CHAIN"),
    (
        f"audit: {{accepted_rollbacks: [«'log:{CHAIN}:1']}}",
        "audit.accepted_rollbacks[0]",
        "names no",
        "CHAIN",
    ),
    (
        f"audit: {{accepted_rollbacks: ['{CHAIN}:1', «'{CHAIN}:1']}}",
        "audit.accepted_rollbacks[1]",
        "entry [0] of this list has this name already",
        "once",
    ),
]


@pytest.mark.parametrize(("marked", "where", "message", "hint"), WRONG)
def test_wrong_settings(loading: Loading, marked: str, where: str, message: str, hint: str) -> None:
    problem = loading.marked_problem(marked)
    assert problem.where == where
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    "directory", ["/srv/audit", "/srv/audit/anchors", "/srv", "/", "/srv/other/../audit"]
)
def test_an_anchor_beside_what_it_vouches_for(loading: Loading, directory: str) -> None:
    problem = loading.marked_problem(anchors(f"{{name: a, directory: «'{directory}'}}"))
    assert problem.where == "audit.anchors[0].directory"
    assert "the directory of the record (audit.directory), or lies in it, or around it" in problem.message


def test_an_anchor_behind_a_link_to_the_record(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    (tmp_path / "anchors").symlink_to(tmp_path / "audit")
    text = f"audit: {{directory: {tmp_path}/audit, {KEY}, anchors: [{{name: a, directory: «{tmp_path}/anchors}}]}}"
    assert "of the record" in loading.marked_problem(text).message


def test_an_anchor_with_a_name_that_begins_like_the_record_s(loading: Loading) -> None:
    assert loading.settings(anchors("{name: a, directory: /srv/audit-anchors}")).audit.anchors


def test_an_unknown_member_is_told_with_the_nearest(loading: Loading) -> None:
    problems = loading.problems(anchors("{name: a, bukket: abc, retain_days: 1}"))
    assert any(problem.hint == "did you mean bucket?" for problem in problems)
