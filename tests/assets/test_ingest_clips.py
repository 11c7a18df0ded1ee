"""From a clip's bytes to an asset, once per reference, in little memory."""

import hashlib
import io
import re
from pathlib import Path

import pytest

from assets import selectors
from assets.errors import RejectedFile
from assets.models import Asset
from tests.assets import pictures, videos
from tests.assets.makers import ingest_for
from tests.factories import make_member

pytestmark = pytest.mark.django_db

MB = 2**20
CLIPS = ("video",)


def test_a_clip_is_stored_byte_for_byte_with_posters(media_root, stored_files):
    data = videos.clip(1080, 1920, duration_s=2)

    asset = ingest_for(make_member(), data, accept=CLIPS, source_reference="job:1")

    assert (asset.kind, asset.media_type, asset.extension) == ("video", "video/mp4", "mp4")
    assert (asset.width, asset.height, asset.duration_s) == (1080, 1920, 2.0)
    assert (asset.bytes, asset.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert asset.download_name == "wevion-video-20260702-desert-highway-4x5-v2.mp4"
    assert stored_files() == [
        f"{asset.folder}/480.webp",
        f"{asset.folder}/960.webp",
        f"{asset.folder}/original.mp4",
    ]
    folder = media_root / asset.folder
    assert (folder / "original.mp4").read_bytes() == data
    assert pictures.reopened((folder / "480.webp").read_bytes()).size == (480, 853)
    assert pictures.reopened((folder / "960.webp").read_bytes()).size == (960, 1707)
    assert selectors.by_reference(source_reference="job:1") == asset


def test_the_bytes_decide_between_picture_and_clip():
    member, both = make_member(), ("image", "video")
    clip = ingest_for(member, videos.clip(), accept=both)
    picture = ingest_for(member, pictures.png(50, 50), accept=both)
    assert (clip.kind, clip.duration_s) == ("video", 2.0)
    assert (picture.kind, picture.duration_s) == ("image", None)


def test_a_kind_that_does_not_exist_is_a_callers_mistake():
    with pytest.raises(ValueError, match="sound"):
        ingest_for(make_member(), videos.clip(), accept=("sound",))


def test_a_second_ingest_of_a_reference_returns_the_first_clip(stored_files):
    member = make_member()
    first = ingest_for(member, videos.clip(), accept=CLIPS, source_reference="job:1")
    files = stored_files()
    again = ingest_for(member, videos.clip(64, 64), accept=CLIPS, source_reference="job:1")
    assert again == first
    assert Asset.objects.count() == 1
    assert stored_files() == files


def test_files_of_a_crashed_attempt_with_another_clip_are_swept(monkeypatch, stored_files):
    member = make_member()
    with monkeypatch.context() as crash:
        crash.setattr(Asset.objects, "get_or_create", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ingest_for(member, videos.clip(64, 64), accept=CLIPS, source_reference="job:1")
    assert len(stored_files()) == 3
    asset = ingest_for(member, videos.clip(), accept=CLIPS, source_reference="job:1")
    assert {name.rpartition("/")[0] for name in stored_files()} == {asset.folder}


def test_a_clip_of_which_a_file_is_gone_is_named(media_root):
    member = make_member()
    whole, gone, bare = (
        ingest_for(member, videos.clip(duration_s=length), accept=CLIPS) for length in (1, 2, 3)
    )
    (media_root / gone.folder / "original.mp4").unlink()
    (media_root / bare.folder / "960.webp").unlink()
    ids = [whole.id, gone.id, bare.id]
    assert selectors.missing_files(asset_ids=ids) == [gone.id, bare.id]


def test_a_limit_of_the_callers_holds_for_clips(stored_files):
    data = videos.clip()
    with pytest.raises(RejectedFile) as refused:
        ingest_for(make_member(), data, accept=CLIPS, max_bytes=len(data) - 1)
    assert refused.value.reason == "too_large"
    assert stored_files() == []
    assert ingest_for(make_member(), data, accept=CLIPS, max_bytes=len(data)).bytes == len(data)


def test_the_limit_of_pictures_does_not_stop_a_clip():
    padded = videos.clip() + videos.box(b"free", bytes(51 * MB))
    assert ingest_for(make_member(), padded, accept=CLIPS).bytes == len(padded)


def padded_clip() -> bytes:
    return videos.clip(1920, 1080) + videos.box(b"free", bytes(200 * MB))


def filled_clip() -> bytes:
    return videos.large(size_bytes=200 * MB, duration_s=20)


def memory_mb(name: str) -> int:
    """VmRSS (now) or VmHWM (the most since it was reset) of this process, by the kernel's count."""
    status = Path("/proc/self/status").read_text()
    (kilobytes,) = re.findall(rf"{name}:\s+(\d+) kB", status)
    return int(kilobytes) // 1024


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="asks the Linux kernel")
@pytest.mark.parametrize("make", [padded_clip, filled_clip])
@pytest.mark.parametrize("is_seekable", [True, False])
def test_a_large_clip_takes_little_memory(tmp_path, make, is_seekable):
    path = tmp_path / "large.mp4"
    path.write_bytes(make())
    videos.large.cache_clear()
    videos.clip.cache_clear()
    member = make_member()
    ingest_for(member, videos.clip(1920, 1080), accept=CLIPS)  # what is loaded once

    with path.open("rb") as file:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from now
        before = memory_mb("VmRSS")
        asset = ingest_for(member, file=file if is_seekable else Stream(file), accept=CLIPS)
        most = memory_mb("VmHWM")

    assert asset.bytes == path.stat().st_size > 190 * MB
    assert most - before < 64


class Stream(io.RawIOBase):
    """A file that cannot seek, as from a network."""

    def __init__(self, file):
        self._file = file

    def seekable(self):
        return False

    def read(self, size=-1):
        return self._file.read(size)
