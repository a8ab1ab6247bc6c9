"""Anchors as `check` tries them."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.signed_chains import CHAIN, KEY, KEYS, OTHER_KEY, SignedChain
from tests.witness import Witness, application, serving
from vaultsigner.audit.anchors.anchor import name_for
from vaultsigner.cli import anchor_probe
from vaultsigner.cli.anchor_findings import told
from vaultsigner.cli.anchor_probe import try_anchors
from vaultsigner.config.anchor_settings import BucketAnchor, DirectoryAnchor, WitnessAnchor
from vaultsigner.config.settings import AuditSettings, TransitReference
from vaultsigner.domain.checkpoints import AnchorDocument

BUCKET = BucketAnchor("worm", "my-bucket", 30, endpoint_url="http://127.0.0.1:9", region="eu-west-1")
NOBODY = WitnessAnchor("witness", "http://127.0.0.1:9", required=False)


def audit(directory: Path, *anchors: DirectoryAnchor | WitnessAnchor | BucketAnchor) -> AuditSettings:
    key = TransitReference("transit", "audit-checkpoints")
    return AuditSettings(directory / "audit", key, 1000, anchors=anchors)


async def test_each_anchor_is_tried(tmp_path: Path) -> None:
    (tmp_path / "anchors").mkdir()
    async with serving(application(Witness(bytes(KEY.verify_key))), None) as port:
        settings = audit(
            tmp_path,
            DirectoryAnchor("disk", tmp_path / "anchors"),
            DirectoryAnchor("away", tmp_path / "away"),
            WitnessAnchor("witness", f"http://127.0.0.1:{port}/vaultsigner"),
            NOBODY,
        )
        disk, away, witness, nobody = await try_anchors(settings)
    assert disk.found == f"{tmp_path}/anchors can be written to, and keeps checkpoints of 0 chains"
    assert "it is on the same file system as the record" in str(disk.caution)
    assert (away.found, away.required) == (None, True)
    assert "mount the disk, or make the directory yourself" in str(away.problem)
    assert "answers; whether it knows the key" in str(witness.found)
    assert (witness.problem, witness.caution) == (None, None)
    assert "it cannot be reached" in str(nobody.problem)
    assert not nobody.required


async def test_offline_nothing_elsewhere_is_asked(tmp_path: Path) -> None:
    (tmp_path / "anchors").mkdir()
    settings = audit(tmp_path, DirectoryAnchor("disk", tmp_path / "anchors"), NOBODY, BUCKET)
    disk, witness, bucket = await try_anchors(settings, offline=True)
    assert disk.found
    for untried in (witness, bucket):
        assert (untried.found, untried.problem) == (None, None)


def keep(anchors: Path, document: AnchorDocument) -> None:
    (anchors / CHAIN).mkdir(parents=True)
    (anchors / CHAIN / name_for(document.signed.checkpoint.size)).write_text(document.text())


@pytest.mark.parametrize("required", [True, False])
async def test_a_record_that_is_behind_is_an_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, required: bool
) -> None:
    monkeypatch.setattr(anchor_probe, "AGAIN_SECONDS", 0)
    keep(tmp_path / "anchors", SignedChain(tmp_path / "lost").grown(5).documents[0])
    settings = audit(tmp_path, DirectoryAnchor("disk", tmp_path / "anchors", required=required))
    (disk,) = await try_anchors(settings, keys=KEYS)
    (obstacle,) = disk.obstacles
    assert obstacle.startswith(f"ROLLBACK OR FORK of chain {CHAIN}: the anchor disk has a checkpoint of 5 ")
    assert ("FAIL", obstacle) in told(disk)
    (disk,) = await try_anchors(replace(settings, accepted_rollbacks=frozenset({f"{CHAIN}:5"})), keys=KEYS)
    assert disk.obstacles == ()
    (disk,) = await try_anchors(settings)
    assert disk.obstacles == ()
    SignedChain(tmp_path / "audit").grown(5)
    (disk,) = await try_anchors(settings, keys=KEYS)
    assert (bool(disk.found), disk.obstacles) == (True, ())


async def test_an_anchor_of_another_key_is_an_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchor_probe, "AGAIN_SECONDS", 0)
    chain = SignedChain(tmp_path / "audit")
    chain.grow(5)
    keep(tmp_path / "anchors", chain.checkpoint(OTHER_KEY))
    settings = audit(tmp_path, DirectoryAnchor("disk", tmp_path / "anchors"))
    (disk,) = await try_anchors(settings, keys=KEYS)
    (obstacle,) = disk.obstacles
    assert "was the key made anew?" in obstacle


async def test_another_file_system_is_no_reason_for_caution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "anchors").mkdir()
    devices = {tmp_path / "anchors": 1, tmp_path / "audit": 2}
    monkeypatch.setattr(anchor_probe, "_device", devices.__getitem__)
    (disk,) = await try_anchors(audit(tmp_path, DirectoryAnchor("disk", tmp_path / "anchors")))
    assert disk.found
    assert disk.caution is None
