"""Uploading a start frame: what it becomes, and what a refusal leaves as it was."""

import io
import re
import uuid
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from assets import selectors as assets
from assets import storage
from assets.models import Asset
from tests.assets import pictures, videos
from tests.assets.makers import client_of, ingest_for
from tests.creative_hub.pages import announced, checked, frame_of
from tests.factories import make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

STUDIO = "/creative-hub/video-studio"
GENERATE = f"{STUDIO}/generate/"
FRAME = f"{STUDIO}/start-frame/"
PICKER = f"{STUDIO}/frames/"
HTMX = {"HX-Request": "true"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"><script/></svg>'


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


@pytest.fixture
def signed_in(buyer):
    return client_of(buyer)


def upload(client, data, name="shoe.jpg", *, htmx=True, **given):
    form = {"provider": "kling_2_6", "aspect_ratio": "16:9", "duration": "5", **given}
    form["image"] = SimpleUploadedFile(name, data)
    return client.post(FRAME, form, headers=HTMX if htmx else {})


@pytest.mark.parametrize(
    ("draw", "media_type"),
    [
        (pictures.jpeg, "image/jpeg"),
        (pictures.png, "image/png"),
        (pictures.webp, "image/webp"),
    ],
)
def test_an_upload_becomes_the_start_frame_and_chooses_the_nearest_ratio(
    signed_in, buyer, draw, media_type
):
    # The name says nothing: the bytes decide.
    answer = upload(signed_in, draw(900, 1600), name="red shoe.gif")
    assert answer.status_code == 200
    body = answer.content.decode()
    asset = Asset.objects.get()
    assert (asset.media_type, asset.source, asset.stem) == (media_type, "uploaded", "red-shoe")
    assert frame_of(body) == str(asset.pk)
    assert ">Image to video</p>" in body
    assert "Describe the motion; the frame already sets the scene." in body
    assert f"/media/{asset.pk}/480" in body
    assert "900 × 1600 · 9:16" in body
    assert checked(body)["aspect_ratio"] == "9:16"
    said = "Aspect ratio set to 9:16 to fit the start frame."
    assert f'<p class="said">{said}</p>' in body
    assert announced(body) == f"Start frame added. {said}"
    assert "Your frame is" not in body


def test_a_picture_that_fits_moves_no_ratio(signed_in):
    body = upload(signed_in, pictures.jpeg(1600, 900)).content.decode()
    assert checked(body)["aspect_ratio"] == "16:9"
    assert announced(body) == "Start frame added."
    assert 'class="said"' not in body


def test_only_ratios_of_the_chosen_provider_are_chosen(signed_in):
    body = upload(signed_in, pictures.jpeg(1000, 1001), provider="veo_3_1").content.decode()
    assert checked(body)["aspect_ratio"] == "9:16"
    assert "<b>Your frame is 1:1, the clip is 9:16.</b>" in body


def test_the_same_picture_twice_is_kept_once(signed_in):
    first, again = (frame_of(upload(signed_in, pictures.png()).content.decode()) for _ in range(2))
    assert first == again
    assert Asset.objects.count() == 1


def test_where_it_was_taken_and_with_what_is_not_kept(signed_in, buyer):
    exif = Image.Exif()
    exif[0x010F] = "Kamera"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)  # GPSLatitude
    data = pictures.jpeg(1200, 1500, exif=exif)
    assert b"Kamera" in data
    body = upload(signed_in, data).content.decode()
    asset = assets.get_visible(member=buyer, asset_id=uuid.UUID(frame_of(body)))
    original = storage.read_original(asset)
    assert b"Kamera" not in original
    assert dict(Image.open(io.BytesIO(original)).getexif()) == {}
    assert b"Exif" not in original


def test_a_turned_picture_counts_as_it_is_shown(signed_in):
    body = upload(signed_in, pictures.turned_jpeg(1600, 900, orientation=6)).content.decode()
    assert "900 × 1600" in body
    assert checked(body)["aspect_ratio"] == "9:16"


REFUSED: dict[str, tuple[Callable[[], bytes], str, str | None]] = {
    "svg called png": (lambda: SVG, "shoe.png", None),
    "empty": (lambda: b"", "shoe.jpg", "The file is empty."),
    "text": (lambda: b"not a picture" * 100, "shoe.jpg", None),
    "gif": (lambda: pictures.encoded(pictures.painted(900, 900), "GIF"), "shoe.gif", None),
    "clip": (videos.clip, "shoe.mp4", None),
    "cut off": (lambda: pictures.jpeg()[:5000], "shoe.jpg", None),
    "too small": (
        lambda: pictures.jpeg(299, 400),
        "shoe.jpg",
        "The picture is 299 × 400 px; each side must have 300 to 8000 px.",
    ),
    "too narrow": (
        lambda: pictures.jpeg(400, 1004),
        "shoe.jpg",
        "The picture is 400 × 1004 px, a ratio of 1:2.51; it must be between 1:2.5 and 2.5:1.",
    ),
    "too heavy": (
        lambda: pictures.jpeg() + bytes(10 * 2**20),
        "shoe.jpg",
        "The picture has 10.1 MB; a start frame may have at most 10 MB.",
    ),
    "a bomb": (lambda: pictures.bomb_png(7999, 7999), "shoe.png", None),
}


@pytest.mark.parametrize("flaw", REFUSED)
def test_a_refused_picture_says_why_and_leaves_the_frame_before(signed_in, buyer, flaw):
    make, name, sentence = REFUSED[flaw]
    before = ingest_for(buyer, pictures.jpeg(900, 1600))
    answer = upload(signed_in, make(), name, start_frame_id=str(before.id), aspect_ratio="9:16")
    assert answer.status_code == 400
    body = answer.content.decode()
    assert frame_of(body) == str(before.id)
    assert ">Image to video</p>" in body
    error = re.search(r'id="start_frame_id-error" role="alert">(.*?)</p>', body, re.S)
    assert error
    said = error[1].strip()
    assert re.fullmatch(r"[A-Z].{10,}\.", said), said
    assert announced(body) == said
    if sentence:
        assert said == sentence
    # Nothing else of the composer is touched.
    assert 'id="opt-ratio"' not in body
    assert [asset.pk for asset in Asset.objects.all()] == [before.id]


def test_a_refused_first_picture_leaves_the_frame_empty(signed_in):
    body = upload(signed_in, SVG, "shoe.png").content.decode()
    assert frame_of(body) == ""
    assert ">Text to video</p>" in body
    assert "Drop, paste or choose an image" in body


def test_a_strangers_frame_is_not_what_was_there_before(signed_in):
    theirs = ingest_for(make_member())
    body = upload(signed_in, SVG, start_frame_id=str(theirs.id)).content.decode()
    assert frame_of(body) == ""
    assert str(theirs.id) not in body


def test_a_hundred_megabytes_are_a_413_before_they_are_read(signed_in):
    for address in (FRAME, GENERATE):
        answer = signed_in.generic(
            "POST",
            address,
            content_type="multipart/form-data; boundary=x",
            headers={"HX-Request": "true", "Content-Length": str(100 * 2**20)},
        )
        assert answer.status_code == 413
        assert b"at most 11,534,336 are taken" in answer.content
    assert not Asset.objects.exists()


def test_a_request_without_a_picture_says_so(signed_in, buyer):
    before = ingest_for(buyer)
    answer = signed_in.post(FRAME, {"start_frame_id": str(before.id)}, headers=HTMX)
    assert answer.status_code == 400
    body = answer.content.decode()
    assert announced(body) == "No picture came with the request. Choose one and try again."
    assert frame_of(body) == str(before.id)


def test_a_store_that_takes_nothing_is_our_fault_and_keeps_the_frame(
    signed_in, buyer, settings, tmp_path
):
    before = ingest_for(buyer)
    (tmp_path / "in the way").touch()
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "in the way")},
        },
    }
    answer = upload(signed_in, pictures.png(), start_frame_id=str(before.id))
    said = "We could not save the picture just now. That is our fault; try again in a moment."
    assert answer.status_code == 400
    assert announced(answer.content.decode()) == said
    assert frame_of(answer.content.decode()) == str(before.id)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
def test_who_may_not_generate_neither_uploads_nor_picks(buyer, role):
    client = client_of(make_member(role=role, workspace_id=buyer.workspace_id))
    assert upload(client, pictures.jpeg()).status_code == 403
    assert client.get(FRAME, headers=HTMX).status_code == 403
    assert client.get(PICKER).status_code == 403
    assert not Asset.objects.exists()


def test_an_upload_of_its_own_leads_to_the_page_with_the_frame(signed_in):
    answer = upload(signed_in, pictures.jpeg(), htmx=False)
    assert answer.status_code == 302
    assert answer["Location"] == f"{STUDIO}?start_frame={Asset.objects.get().pk}"
