"""From bytes to an asset: once per reference, whole or not at all."""

import hashlib
import io
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from django.db import connection, transaction

from assets import imaging, ingest, selectors, storage
from assets.errors import ReferenceTaken
from assets.info import AssetInfo
from assets.models import Asset
from tests.assets import pictures
from tests.assets.makers import ingest_for
from tests.factories import NOW, make_member
from workspaces.selectors import Member

pytestmark = pytest.mark.django_db


def test_a_picture_is_stored_byte_for_byte_measured_and_hashed(media_root):
    member, data = make_member(), pictures.jpeg(1200, 1500)

    asset = ingest_for(member, data, source_reference="job:1", is_sandbox=True)

    assert (asset.workspace_id, asset.creator_id) == (member.workspace_id, member.membership_id)
    assert (asset.kind, asset.source, asset.media_type) == ("image", "generated", "image/jpeg")
    assert (asset.width, asset.height, asset.duration_s) == (1200, 1500, None)
    assert asset.bytes == len(data)
    assert asset.sha256 == hashlib.sha256(data).hexdigest()
    assert (asset.is_sandbox, asset.created_at) == (True, NOW)
    assert (media_root / asset.folder / "original.jpg").read_bytes() == data
    assert storage.read_original(asset) == data
    assert selectors.by_reference(source_reference="job:1") == asset
    assert selectors.by_ids([asset.id, uuid.uuid4()]) == {asset.id: asset}


def test_thumbnails_are_webp_of_exactly_480_and_960_pixels_width(media_root):
    asset = ingest_for(make_member(), pictures.jpeg(1200, 1500))
    sizes = {}
    for width in (480, 960):
        thumbnail = pictures.reopened((media_root / asset.folder / f"{width}.webp").read_bytes())
        assert thumbnail.format == "WEBP"
        sizes[width] = thumbnail.size
    assert sizes == {480: (480, 600), 960: (960, 1200)}


def test_thumbnails_are_never_larger_than_the_picture(media_root):
    asset = ingest_for(make_member(), pictures.png(600, 300))
    sizes = [
        pictures.reopened((media_root / asset.folder / f"{width}.webp").read_bytes()).size
        for width in (480, 960)
    ]
    assert sizes == [(480, 240), (600, 300)]


@pytest.mark.parametrize(
    ("data", "media_type", "extension"),
    [
        (pictures.jpeg(64, 80), "image/jpeg", "jpg"),
        (pictures.jpeg(64, 80, progressive=True), "image/jpeg", "jpg"),
        (pictures.png(64, 80), "image/png", "png"),
        (pictures.png(64, 80, "RGBA"), "image/png", "png"),
        (pictures.webp(64, 80), "image/webp", "webp"),
        (pictures.webp(64, 80, lossless=True, xmp=b"<x/>"), "image/webp", "webp"),
    ],
)
def test_the_type_comes_from_the_bytes(data, media_type, extension, stored_files):
    asset = ingest_for(make_member(), data)
    assert (asset.media_type, asset.extension) == (media_type, extension)
    assert (asset.width, asset.height) == (64, 80)
    assert stored_files() == [
        f"{asset.folder}/480.webp",
        f"{asset.folder}/960.webp",
        f"{asset.folder}/original.{extension}",
    ]


def test_the_download_name_says_what_it_is_with_the_day_in_utc():
    late_on_july_1st = datetime(2026, 7, 1, 22, 30, tzinfo=timezone(timedelta(hours=-4)))
    asset = ingest_for(make_member(), pictures.jpeg(50, 50), now=late_on_july_1st)
    assert asset.download_name == "wevion-image-20260702-desert-highway-4x5-v2.jpg"


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ('../../etc/passwd"\r\nX: y', "wevion-image-20260702-etcpasswd-x-y.png"),
        ("пустыня", "wevion-image-20260702.png"),
        ("Word " * 40, f"wevion-image-20260702-{'word-' * 15}word.png"),
    ],
)
def test_a_stem_is_made_safe_for_a_file_name(stem, name):
    assert ingest_for(make_member(), pictures.png(50, 50), stem=stem).download_name == name


def test_a_second_ingest_of_a_reference_returns_the_first_asset_and_stores_nothing(stored_files):
    member = make_member()
    first = ingest_for(member, pictures.jpeg(100, 100), source_reference="job:1")
    files = stored_files()

    again = ingest_for(member, pictures.png(300, 300), source_reference="job:1", stem="other")

    assert again == first
    assert Asset.objects.count() == 1
    assert stored_files() == files


def test_a_reference_of_another_workspace_opens_nothing(stored_files):
    ingest_for(make_member(), source_reference="upload:1")
    files = stored_files()
    with pytest.raises(ReferenceTaken):
        ingest_for(make_member(), source_reference="upload:1")
    assert Asset.objects.count() == 1
    assert stored_files() == files


def test_a_stream_that_cannot_seek_is_taken_too():
    class Stream(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise OSError("not seekable")

    data = pictures.jpeg(400, 300)
    asset = ingest_for(make_member(), file=Stream(data))
    assert storage.read_original(asset) == data


def test_the_callers_file_stays_open_and_is_read_from_its_start():
    file = io.BytesIO(pictures.jpeg(400, 300))
    file.seek(100)
    asset = ingest_for(make_member(), file=file)
    assert asset.bytes == len(file.getvalue())
    assert not file.closed


@pytest.mark.usefixtures("committed_db")
def test_ingest_refuses_to_run_inside_a_transaction(stored_files):
    member = make_member()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        ingest_for(member)
    assert stored_files() == []


@pytest.mark.usefixtures("committed_db")
def test_no_transaction_is_open_while_files_are_stored(monkeypatch):
    member, seen = make_member(), []
    put = storage.put

    def watched(**call):
        seen.append(connection.in_atomic_block)
        put(**call)

    monkeypatch.setattr(storage, "put", watched)
    ingest_for(member)
    assert seen == [False, False, False]


def test_a_crash_between_the_files_and_the_row_is_mended_by_the_next_ingest(
    monkeypatch, stored_files
):
    member, data = make_member(), pictures.jpeg(500, 400)
    with monkeypatch.context() as crash:
        crash.setattr(Asset.objects, "get_or_create", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ingest_for(member, data, source_reference="job:1")
    assert not Asset.objects.exists()
    left = stored_files()
    assert len(left) == 3

    asset = ingest_for(member, data, source_reference="job:1")

    assert stored_files() == left
    assert selectors.missing_files(asset_ids=[asset.id]) == []


def test_files_of_a_crashed_attempt_with_other_bytes_are_swept(
    monkeypatch, stored_files, media_root
):
    member = make_member()
    other = ingest_for(member, source_reference="job:2")
    with monkeypatch.context() as crash:
        crash.setattr(Asset.objects, "get_or_create", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ingest_for(member, pictures.jpeg(500, 400), source_reference="job:1")
    crashed = next(name for name in stored_files() if not name.startswith(other.folder))
    # What a process killed in the middle of a file leaves.
    (media_root / crashed).parent.with_name("tmp123.part").write_bytes(b"half")

    asset = ingest_for(member, pictures.jpeg(400, 500), source_reference="job:1")

    assert {name.rpartition("/")[0] for name in stored_files()} == {asset.folder, other.folder}


def test_a_store_that_fails_half_way_leaves_no_row_and_no_half_file(monkeypatch, stored_files):
    member = make_member()
    with monkeypatch.context() as full:
        full.setattr("assets.storage.os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "")))
        with pytest.raises(OSError, match="28"):
            ingest_for(member, source_reference="job:1")
    assert not Asset.objects.exists()
    assert stored_files() == []

    asset = ingest_for(member, source_reference="job:1")
    assert selectors.missing_files(asset_ids=[asset.id]) == []


def _two_at_once(
    monkeypatch: pytest.MonkeyPatch, member: Member, first: bytes, second: bytes
) -> list[AssetInfo]:
    """Two ingests of one reference that both found no row before either stores a file."""
    barrier = threading.Barrier(2)
    examine = imaging.examine

    def together(**call):
        barrier.wait(timeout=10)
        return examine(**call)

    monkeypatch.setattr(imaging, "examine", together)

    def run(data: bytes) -> AssetInfo:
        try:
            return ingest_for(member, data, source_reference="job:1")
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, [first, second]))


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize("is_same", [True, False])
def test_two_ingests_of_a_reference_at_once_make_one_asset_and_one_set_of_files(
    monkeypatch, stored_files, is_same
):
    member, one = make_member(), pictures.jpeg(800, 600)
    other = one if is_same else pictures.png(300, 900)

    first, second = _two_at_once(monkeypatch, member, one, other)

    assert first == second
    assert Asset.objects.count() == 1
    assert {name.rpartition("/")[0] for name in stored_files()} == {first.folder}
    assert len(stored_files()) == 3
    assert selectors.missing_files(asset_ids=[first.id]) == []
    data = storage.read_original(first)
    assert hashlib.sha256(data).hexdigest() == first.sha256


@pytest.mark.usefixtures("committed_db")
def test_an_ingest_whose_files_are_swept_while_it_writes_returns_the_winner(
    monkeypatch, stored_files
):
    member = make_member()
    put = storage.put
    winners: list[AssetInfo | None] = []

    def overtaken(**call):
        if not winners:
            winners.append(None)  # the inner ingest stores undisturbed
            winners[0] = ingest_for(member, pictures.png(90, 90), source_reference="job:1")
            raise FileNotFoundError("swept")
        put(**call)

    monkeypatch.setattr(storage, "put", overtaken)
    loser = ingest_for(member, pictures.jpeg(80, 80), source_reference="job:1")

    assert loser == winners[0]
    assert {name.rpartition("/")[0] for name in stored_files()} == {loser.folder}


def test_missing_files_names_assets_whose_files_are_gone_or_cut(media_root):
    member = make_member()
    whole, gone, cut, bare, empty = (
        ingest_for(member, pictures.jpeg(60 + number, 60)) for number in range(5)
    )
    (media_root / gone.folder / "original.jpg").unlink()
    (media_root / cut.folder / "original.jpg").write_bytes(b"short")
    (media_root / bare.folder / "960.webp").unlink()
    (media_root / empty.folder / "480.webp").write_bytes(b"")
    unknown = uuid.uuid4()

    ids = [whole.id, gone.id, cut.id, bare.id, empty.id, unknown]
    assert selectors.missing_files(asset_ids=ids) == ids[1:]


def test_other_apps_take_the_value_from_ingest_or_selectors():
    assert ingest.AssetInfo is selectors.AssetInfo
