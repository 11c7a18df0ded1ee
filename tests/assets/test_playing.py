"""What a player gets: clips that play in place, and large files a megabyte at a time."""

import pytest

from assets import ranges
from tests.assets import pictures, videos
from tests.assets.makers import client_of, ingest_for
from tests.assets.test_media import CSP, body
from tests.factories import make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

JPEG = pictures.jpeg(64, 64)
LARGE = JPEG + bytes(2**21 - len(JPEG))


@pytest.fixture
def owner():
    return make_member(role=Role.OWNER)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, 2**20 - 1),
        ("bytes=1000-", 1000, 1000 + 2**20 - 1),
        ("bytes=1500000-", 1_500_000, 2**21 - 1),
        ("bytes=0-2000000", 0, 2_000_000),
        ("bytes=-2000000", 2**21 - 2_000_000, 2**21 - 1),
    ],
)
def test_a_range_without_an_end_is_answered_a_megabyte_at_a_time(owner, asked, first, last):
    assert ranges.OPEN_RANGE_BYTES == 2**20
    asset = ingest_for(owner, LARGE)
    response = client_of(owner).get(f"/media/{asset.id}", headers={"range": asked})
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{2**21}"
    assert response["Content-Length"] == str(last - first + 1)
    assert body(response) == LARGE[first : last + 1]


def test_a_download_that_is_resumed_gets_all_the_rest(owner):
    path = f"/media/{ingest_for(owner, LARGE).id}/download"
    response = client_of(owner).get(path, headers={"range": "bytes=1000-"})
    assert (response.status_code, body(response)) == (206, LARGE[1000:])


def test_without_a_range_the_whole_file_comes_at_once(owner):
    response = client_of(owner).get(f"/media/{ingest_for(owner, LARGE).id}")
    assert (response.status_code, body(response)) == (200, LARGE)


def test_a_clip_plays_in_place_and_downloads_under_its_name(owner, media_root):
    data = videos.clip()
    asset = ingest_for(owner, data, accept=("video",))
    client, name = client_of(owner), "wevion-video-20260702-desert-highway-4x5-v2.mp4"

    shown = client.get(f"/media/{asset.id}")
    assert (shown.status_code, body(shown)) == (200, data)
    assert (shown["Content-Type"], shown["Accept-Ranges"]) == ("video/mp4", "bytes")
    assert shown["Content-Disposition"] == f'inline; filename="{name}"'
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Cache-Control"] == "private, no-store"
    assert shown["Content-Security-Policy"] == CSP.replace("sandbox", "sandbox allow-same-origin")
    saved = client.get(f"/media/{asset.id}/download")
    assert (body(saved), saved["Content-Type"]) == (data, "video/mp4")
    assert saved["Content-Disposition"] == f'attachment; filename="{name}"'
    part = client.get(f"/media/{asset.id}", headers={"range": "bytes=4-11"})
    assert (part.status_code, body(part)) == (206, b"ftypisom")
    poster = client.get(f"/media/{asset.id}/480")
    assert poster["Content-Type"] == "image/webp"
    assert body(poster) == (media_root / asset.folder / "480.webp").read_bytes()
