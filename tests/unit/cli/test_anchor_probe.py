"""Anchors as `check` tries them."""

from pathlib import Path

import pytest

from tests.signed_chains import KEY
from tests.witness import Witness, application, serving
from vaultsigner.cli import anchor_probe
from vaultsigner.cli.anchor_probe import try_anchors
from vaultsigner.config.settings import (
    AuditSettings,
    BucketAnchor,
    DirectoryAnchor,
    TransitReference,
    WitnessAnchor,
)

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


async def test_another_file_system_is_no_reason_for_caution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "anchors").mkdir()
    devices = {tmp_path / "anchors": 1, tmp_path / "audit": 2}
    monkeypatch.setattr(anchor_probe, "_device", devices.__getitem__)
    (disk,) = await try_anchors(audit(tmp_path, DirectoryAnchor("disk", tmp_path / "anchors")))
    assert disk.found
    assert disk.caution is None
