"""`pixy-grpc fsck` over a bucket."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from pixy_grpc.cli.fsck import run_fsck
from pixy_grpc.preparation import prepare
from pixy_grpc.service.fsck import Tasks
from pixy_grpc.settings import Settings, SettingsError
from tests.e2e.fsck.command import NOTHING_IS_YOUNG, fsck, run_here
from tests.integration.data.examples import new_key
from tests.support.seaweedfs import KEY_ID, SECRET, Bare, name_of, shared_seaweedfs
from tests.support.server import running_server, settings_for
from tests.unit.service.fsck.depot import CHECK, REPAIR

BYTES = b"bytes of nobody"
AT_ONCE = timedelta(hours=-1)
"""An age that everything in quarantine has."""


@dataclass(frozen=True)
class Damaged:
    """A bucket with three images, of which one has lost its bytes, and bytes of nobody."""

    bare: Bare
    folder: Path
    missing: str
    orphan: str
    whole: list[str]

    @property
    def settings(self) -> Settings:
        """The settings of the service."""
        return settings_for(self.folder, **self.bare.settings)

    @property
    def environment(self) -> dict[str, str]:
        """The same, by their names outside."""
        settings = self.bare.settings
        images = {"PIXY_IMAGES": settings.pop("images")}
        return images | {name.upper(): value for name, value in settings.items()}

    @property
    def left(self) -> list[str]:
        """What the bucket holds of images that are whole, and the mark."""
        return sorted([".pixy-store", *map(name_of, self.whole)])


@pytest.fixture
def damaged(tmp_path: Path) -> Damaged:
    """Let a server fill a bucket; then damage it behind its back."""
    bare = Bare(shared_seaweedfs())
    with running_server(tmp_path, **bare.settings) as server, server.client() as client:
        for number in range(3):
            client.create(f"lighthouse {number}", size="64x64")
    keys = [name.rpartition("/")[2] for name in bare.names() if name != ".pixy-store"]
    orphan = new_key()
    bare.delete(name_of(keys[0]))
    bare.write(name_of(orphan), BYTES)
    return Damaged(bare, tmp_path, keys[0], orphan, keys[1:])


def test_bucket_is_checked_repaired_and_purged(
    damaged: Damaged, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is lost is told, what is nobody's is moved aside, and deleted once that is asked."""
    lost, orphan = ("row_without_bytes", damaged.missing), ("bytes_without_row", damaged.orphan)
    aside = f"quarantine/{damaged.orphan}"

    looked = run_here(capsys, damaged.settings, limits=NOTHING_IS_YOUNG)
    unchanged = damaged.bare.names()
    repaired = run_here(capsys, damaged.settings, REPAIR, NOTHING_IS_YOUNG)
    moved = damaged.bare.read(aside)
    purged = run_here(
        capsys, damaged.settings, replace(CHECK, purge_older_than=AT_ONCE), NOTHING_IS_YOUNG
    )

    assert (looked.code, looked.findings, looked.repairs) == (1, [lost, orphan], [])
    assert unchanged == sorted([*damaged.left, name_of(damaged.orphan)])
    assert (looked.summary["images"], looked.summary["objects"]) == (3, 3)
    assert (repaired.code, repaired.findings) == (1, [lost, orphan])
    assert repaired.repairs == [("quarantined", damaged.orphan)]
    assert (repaired.summary["left"], moved) == (1, BYTES)
    assert (purged.findings, purged.repairs) == ([lost], [("purged", damaged.orphan)])
    assert damaged.bare.names() == damaged.left


def test_command_checks_the_bucket_that_its_environment_names(damaged: Damaged) -> None:
    """In a process of its own; what was stored just now is left alone, and no key is told."""
    ended = fsck(
        damaged.folder,
        "--repair",
        *("--purge-quarantine", "--older-than", "1d"),
        **damaged.environment,
    )

    assert (ended.code, ended.errors) == (1, [])
    assert ended.findings == [("row_without_bytes", damaged.missing)]
    assert (ended.repairs, ended.summary["young"]) == ([], 1)
    assert damaged.bare.names() == sorted([*damaged.left, name_of(damaged.orphan)])
    assert SECRET not in str(ended.events)
    assert KEY_ID not in str(ended.events)


def test_bucket_of_another_service_is_refused(
    damaged: Damaged, capsys: pytest.CaptureFixture[str]
) -> None:
    """3 and one line; nothing is looked at, and a bucket without a mark gets none."""
    other = settings_for(damaged.folder, **Bare(shared_seaweedfs()).settings)
    unmarked = run_here(capsys, other, REPAIR)
    damaged.bare.write(".pixy-store", b"another-id")

    ended = run_here(capsys, damaged.settings, REPAIR, NOTHING_IS_YOUNG)

    for each in (unmarked, ended):
        (line,) = each.errors
        assert (each.code, each.events) == (3, [each.summary])
        assert "PIXY_IMAGES and PIXY_DATABASE_URL" in line
    assert damaged.bare.names() == sorted([*damaged.left, name_of(damaged.orphan)])


def test_missing_bucket_ends_with_one_line(tmp_path: Path) -> None:
    """It is a setting that cannot be used, not a service that lost everything."""
    bare = Bare(shared_seaweedfs())
    prepare(settings_for(tmp_path, **bare.settings))
    settings = settings_for(tmp_path, **{**bare.settings, "images": "s3://missing/images"})

    with pytest.raises(SettingsError, match=r"^PIXY_IMAGES: .*NoSuchBucket"):
        run_fsck(settings, Tasks(), as_json=True)


def test_store_that_is_down_ends_with_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the start, as the database does."""
    bare = Bare(shared_seaweedfs())
    prepare(settings_for(tmp_path, **bare.settings))
    nowhere = {**bare.settings, "aws_endpoint_url": "http://127.0.0.1:1"}

    ended = run_here(capsys, settings_for(tmp_path, **nowhere))

    (line,) = ended.errors
    assert (ended.code, ended.events) == (4, [ended.summary])
    assert "PIXY_IMAGES" in line
