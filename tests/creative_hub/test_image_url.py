"""The start frame of the API: one of one's own pictures, or a public address."""

import json

import pytest

from creative_hub.models import Generation
from tests.assets import pictures, videos
from tests.assets.makers import client_of, ingest_for
from tests.factories import balance_of, make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

API = "/api/v1/creative-hub/video-studio"
NOT_PUBLIC = (
    "image_url must be the address of one of your pictures here, or a public https address."
)
NOT_PLAIN = "image_url must be an address of at most 2000 plain characters."
NOT_YOURS = "There is no such picture among those you may use."


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


@pytest.fixture
def api(buyer):
    return client_of(buyer)


def order(client, image_url):
    body = {"prompt": "It sails away", "image_url": image_url}
    return client.post(f"{API}/generate", json.dumps(body), content_type="application/json")


def assert_refused(client, member, image_url, sentence):
    answer = order(client, image_url)
    assert answer.status_code == 400
    assert answer.json() == {"error": "Invalid input", "fields": {"image_url": [sentence]}}
    assert not Generation.objects.exists()
    assert balance_of(member) == (25_000, 0)


@pytest.mark.parametrize(
    "address",
    [
        "/media/{}",
        "/media/{}/download",
        "/media/{}/480",
        "/creative-hub/assets/{}",
        "http://127.0.0.1/media/{}",
        # As the API itself gives it, and as another name of this site has it.
        "http://testserver/media/{}",
        "http://localhost:8000/media/{}",
        " /media/{} ",
    ],
)
def test_every_address_of_ones_own_picture_is_that_picture(api, buyer, address):
    picture = ingest_for(buyer)
    answer = order(api, address.format(picture.id))
    assert answer.status_code == 202
    generation = Generation.objects.get()
    assert (generation.start_frame_id, generation.start_frame_url) == (picture.id, "")
    one = api.get(f"{API}/generations/{generation.pk}").json()
    assert one["image_url"] == f"http://testserver/media/{picture.id}"
    [listed] = api.get(f"{API}/generations").json()["items"]
    assert listed["image_url"] == one["image_url"]


def test_what_the_api_echoes_can_be_ordered_again(api, buyer):
    picture = ingest_for(buyer)
    order(api, f"/media/{picture.id}")
    [first] = api.get(f"{API}/generations").json()["items"]
    assert order(api, first["image_url"]).status_code == 202
    assert set(Generation.objects.values_list("start_frame_id", flat=True)) == {picture.id}


def test_a_picture_that_is_not_theirs_and_one_that_is_not_there_look_the_same(api, buyer):
    colleague = make_member(workspace_id=buyer.workspace_id)
    stranger = make_member(role=Role.OWNER)
    for asset_id in (
        ingest_for(colleague).id,
        ingest_for(stranger).id,
        "00000000-0000-4000-8000-000000000000",
    ):
        for address in (f"/media/{asset_id}", f"http://testserver/media/{asset_id}"):
            assert_refused(api, buyer, address, NOT_YOURS)


def test_an_owner_may_start_from_a_colleagues_picture(buyer):
    owner = make_member(role=Role.OWNER, workspace_id=buyer.workspace_id)
    picture = ingest_for(buyer)
    assert order(client_of(owner), f"/media/{picture.id}").status_code == 202


def test_a_clip_starts_no_clip(api, buyer):
    clip = ingest_for(buyer, videos.clip(), accept=("video",))
    sentence = "A start frame is a picture; this is a clip."
    for address in (f"/media/{clip.id}", f"/media/{clip.id}/480"):
        assert_refused(api, buyer, address, sentence)


def test_a_picture_of_the_library_that_is_too_small_is_refused_with_its_size(api, buyer):
    small = ingest_for(buyer, pictures.jpeg(299, 400))
    sentence = "The picture is 299 × 400 px; each side must have 300 to 8000 px."
    assert_refused(api, buyer, f"/media/{small.id}", sentence)


@pytest.mark.parametrize(
    "address",
    [
        "http://pictures.example/a.jpg",
        "ftp://pictures.example/a.jpg",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "javascript:/media/1",
        "pictures.example/a.jpg",
        "//pictures.example/a.jpg",
        "media/a.jpg",
        "https://",
        "https:///a.jpg",
        "https://pictures.example:8443/a.jpg",
        "https://pictures.example:80/a.jpg",
        "https://pictures.example:99999/a.jpg",
        "https://pictures.example:x/a.jpg",
        "https://[::1/a.jpg",
        "https://somebody:secret@pictures.example/a.jpg",
        "https://127.0.0.1/a.jpg",
        "https://10.0.0.1/a.jpg",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/a.jpg",
        "https://0x7f.1/a.jpg",
        "https://2130706433/a.jpg",
        "https://localhost/a.jpg",
        "https://intranet/a.jpg",
        "https://db.internal/a.jpg",
        "https://pictures.example/a b.jpg",
        "https://pictures.example\\@evil.example/a.jpg",
        "/creative-hub/image-studio",
        "/media/not-an-id",
        "x",
    ],
)
def test_only_a_public_https_address_is_taken(api, buyer, address):
    assert_refused(api, buyer, address, NOT_PUBLIC)


@pytest.mark.parametrize(
    "address",
    [
        "https://bücher.example/a.jpg",
        "https://pictures.example/ä.jpg",
        "https://pictures.example/" + "a" * 3000,
        "https://pictures.example/a\n.jpg",
        "https://pictures.example/a\u200b.jpg",
    ],
    ids=["idn", "umlaut", "long", "line break", "invisible"],
)
def test_an_address_is_plain_and_of_at_most_2000_characters(api, buyer, address):
    assert_refused(api, buyer, address, NOT_PLAIN)


@pytest.mark.parametrize(
    "address",
    [
        "https://pictures.example/a.jpg",
        "https://pictures.example:443/a.jpg?sig=1&x=%20",
        "https://xn--bcher-kva.example/a.jpg",
        "https://93.184.216.34/a.jpg",
        "https://pictures.example/" + "a" * 1975,
    ],
    ids=["plain", "port 443", "punycode", "public number", "2000 characters"],
)
def test_a_public_address_is_kept_for_the_worker(api, buyer, address):
    assert order(api, address).status_code == 202
    generation = Generation.objects.get()
    assert (generation.start_frame_id, generation.start_frame_url) == (None, address)
    one = api.get(f"{API}/generations/{generation.pk}").json()
    assert one["image_url"] == address
    assert balance_of(buyer) == (24_615, 385)


def test_an_origin_that_the_operator_allows_is_taken_exactly(api, buyer, settings):
    settings.FRAME_ALLOWED_ORIGINS = ["http://127.0.0.1:9000"]
    assert_refused(api, buyer, "http://127.0.0.1:9001/a.jpg", NOT_PUBLIC)
    assert_refused(api, buyer, "https://127.0.0.1:9000/a.jpg", NOT_PUBLIC)
    assert order(api, "http://127.0.0.1:9000/a.jpg").status_code == 202


def test_an_empty_address_is_no_start_frame(api):
    assert order(api, "").status_code == 202
    assert not Generation.objects.get().has_frame
