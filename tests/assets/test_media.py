"""Media over HTTP from a local store: who gets bytes, which bytes, and with what around them."""

import re
import uuid
from typing import Any

import pytest
import requests
from django.test import Client
from django.urls import reverse

from assets import storage
from tests.assets import pictures
from tests.assets.makers import client_of, ingest_for
from tests.factories import make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

CSP = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
# More than one chunk, so that a stream has to be put together.
LARGE = pictures.jpeg(64, 64) + bytes(700_000)


@pytest.fixture
def owner():
    return make_member(role=Role.OWNER)


def routes(asset_id) -> list[str]:
    return [
        reverse("assets:original", args=[asset_id]),
        reverse("assets:thumbnail", args=[asset_id, 480]),
        reverse("assets:thumbnail", args=[asset_id, 960]),
        reverse("assets:download", args=[asset_id]),
    ]


def body(response) -> bytes:
    return b"".join(response)


def test_the_addresses_are_the_products(owner):
    asset_id = uuid.UUID("0b5c5a3e-70a8-4c8e-9d5e-3d1f0c9a2b11")
    assert routes(asset_id) == [
        f"/media/{asset_id}",
        f"/media/{asset_id}/480",
        f"/media/{asset_id}/960",
        f"/media/{asset_id}/download",
    ]


def test_the_original_comes_byte_for_byte_and_can_do_nothing(owner):
    asset = ingest_for(owner, LARGE)
    response = client_of(owner).get(f"/media/{asset.id}")
    assert response.status_code == 200
    assert body(response) == LARGE
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Length"] == str(len(LARGE))
    assert response["ETag"] == f'"{asset.sha256}"'
    assert response["Accept-Ranges"] == "bytes"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == CSP
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Content-Disposition"] == f'inline; filename="{asset.download_name}"'


def test_a_thumbnail_is_webp_with_a_tag_of_its_own(owner, media_root):
    asset = ingest_for(owner)
    for width in (480, 960):
        response = client_of(owner).get(f"/media/{asset.id}/{width}")
        assert body(response) == (media_root / asset.folder / f"{width}.webp").read_bytes()
        assert response["Content-Type"] == "image/webp"
        assert response["ETag"] == f'"{asset.sha256}-{width}"'
        assert response["X-Content-Type-Options"] == "nosniff"


def test_a_download_is_the_original_under_its_name(owner):
    asset = ingest_for(owner, LARGE)
    response = client_of(owner).get(f"/media/{asset.id}/download")
    assert body(response) == LARGE
    assert (
        response["Content-Disposition"]
        == 'attachment; filename="wevion-image-20260702-desert-highway-4x5-v2.jpg"'
    )


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_owners_and_admins_see_what_members_made(owner, role):
    buyer = make_member(role=Role.MEDIABUYER, workspace_id=owner.workspace_id)
    asset = ingest_for(buyer)
    client = client_of(make_member(role=role, workspace_id=owner.workspace_id))
    assert [client.get(route).status_code for route in routes(asset.id)] == [200] * 4


@pytest.mark.parametrize("role", [Role.MANAGER, Role.MEDIABUYER, Role.VIEWER])
def test_other_roles_see_their_own_and_nothing_else(owner, role):
    member = make_member(role=role, workspace_id=owner.workspace_id)
    client, own, other = client_of(member), ingest_for(member), ingest_for(owner)
    assert [client.get(route).status_code for route in routes(own.id)] == [200] * 4
    for route in routes(other.id):
        response = client.get(route)
        assert response.status_code == 404
        assert other.sha256 not in str(response.headers)


def test_another_workspace_gets_the_same_404_as_an_asset_that_does_not_exist(owner):
    asset = ingest_for(owner)
    stranger = client_of(make_member(role=Role.OWNER))
    for there, nowhere in zip(routes(asset.id), routes(uuid.uuid4()), strict=True):
        answers = [stranger.get(route) for route in (there, nowhere)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert not any(answer.streaming for answer in answers)


def test_finance_is_refused_and_gets_no_bytes(owner):
    asset = ingest_for(owner, LARGE)
    finance = client_of(make_member(role=Role.FINANCE, workspace_id=owner.workspace_id))
    for route in routes(asset.id):
        response = finance.get(route)
        assert (response.status_code, response.streaming) == (403, False)


def test_signed_out_leads_to_sign_in_without_a_byte(owner):
    asset = ingest_for(owner, LARGE)
    for route in routes(asset.id):
        response = Client().get(route, headers={"range": "bytes=0-9"})
        assert (response.status_code, response.content) == (302, b"")
        assert response["Location"] == f"{reverse('account_login')}?next={route}"
        assert "ETag" not in response


def test_a_browser_that_signed_out_is_not_told_that_its_copy_is_good(owner):
    asset = ingest_for(owner)
    client, tag = client_of(owner), {"if-none-match": f'"{asset.sha256}"'}
    assert client.get(f"/media/{asset.id}", headers=tag).status_code == 304
    client.logout()
    assert client.get(f"/media/{asset.id}", headers=tag).status_code == 302


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_only_get_and_head_are_answered(owner, method):
    asset = ingest_for(owner)
    for route in routes(asset.id):
        response = getattr(client_of(owner), method)(route)
        assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "{id}/479",
        "{id}/0480/",
        "{id}/99999999999999999999",
        "{id}/-480",
        "{id}/480/..",
        "{id}/..%2f..%2fetc%2fpasswd",
        "{id}/original.jpg",
        "{folder}/original.jpg",
        "..%2f{folder}/original.jpg",
        "%2e%2e/%2e%2e/etc/passwd",
        "{id}%00",
        "{ID}",
        "",
    ],
)
def test_no_other_path_under_media_leads_to_a_file(owner, path):
    asset = ingest_for(owner)
    filled = path.format(id=asset.id, ID=str(asset.id).upper(), folder=asset.folder)
    response = client_of(owner).get(f"/media/{filled}")
    assert response.status_code in (301, 404)
    assert not response.streaming


def test_a_lost_file_is_a_404_and_is_logged(owner, media_root, caplog):
    asset = ingest_for(owner)
    (media_root / asset.folder / "original.jpg").unlink()
    response = client_of(owner).get(f"/media/{asset.id}")
    assert (response.status_code, response.streaming) == (404, False)
    assert "asset_file_missing" in caplog.text
    assert str(asset.id) in caplog.text


SIZE = len(LARGE)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-1", 0, 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=10-19", 10, 19),
        ("bytes=262100-262200", 262_100, 262_200),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("bytes=-5", SIZE - 5, SIZE - 1),
        (f"bytes=-{SIZE * 9}", 0, SIZE - 1),
        (f"bytes=5-{SIZE * 9}", 5, SIZE - 1),
        ("Bytes= 3-4 ", 3, 4),
    ],
)
def test_a_single_range_is_answered_with_exactly_those_bytes(owner, asked, first, last):
    asset = ingest_for(owner, LARGE)
    response = client_of(owner).get(f"/media/{asset.id}", headers={"range": asked})
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert response["Content-Length"] == str(last - first + 1)
    assert response["Content-Type"] == "image/jpeg"
    assert response["ETag"] == f'"{asset.sha256}"'
    assert body(response) == LARGE[first : last + 1]


@pytest.mark.parametrize(
    "asked",
    [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0", "bytes=9999999999999999999-"],
)
def test_a_range_behind_the_end_is_a_416_that_tells_the_size(owner, asked):
    asset = ingest_for(owner, LARGE)
    response = client_of(owner).get(f"/media/{asset.id}", headers={"range": asked})
    assert (response.status_code, response.streaming, response.content) == (416, False, b"")
    assert response["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-9",
        "bytes=9-5",
        "bytes=-",
        "bytes=",
        "bytes=a-b",
        "bytes=٣-٤",
        "items=0-5",
        "bytes=0-5; x",
        "bytes=99999999999999999999-",
    ],
)
def test_several_ranges_and_nonsense_get_the_whole_file(owner, asked):
    asset = ingest_for(owner, LARGE)
    response = client_of(owner).get(
        f"/media/{asset.id}", headers={"range": asked.encode().decode("latin-1")}
    )
    assert (response.status_code, body(response)) == (200, LARGE)
    assert "Content-Range" not in response


def test_if_range_gives_the_part_only_of_the_same_file(owner):
    asset = ingest_for(owner, LARGE)
    client = client_of(owner)
    answers = {
        tag: client.get(
            f"/media/{asset.id}", headers={"range": "bytes=0-9", "if-range": tag}
        ).status_code
        for tag in (
            f'"{asset.sha256}"',
            f'W/"{asset.sha256}"',
            '"other"',
            "Thu, 02 Jul 2026 12:00:00 GMT",
        )
    }
    assert list(answers.values()) == [206, 200, 200, 200]


@pytest.mark.parametrize("tag", ['"{sha}"', 'W/"{sha}"', '"x", "{sha}"', "*"])
def test_a_browser_that_has_the_file_gets_no_bytes(owner, tag):
    asset = ingest_for(owner, LARGE)
    response = client_of(owner).get(
        f"/media/{asset.id}",
        headers={"if-none-match": tag.format(sha=asset.sha256), "range": "bytes=0-9"},
    )
    assert (response.status_code, response.content) == (304, b"")
    assert response["ETag"] == f'"{asset.sha256}"'
    assert response["Cache-Control"] == "private, no-cache"
    assert "Cookie" in response["Vary"]


def test_head_tells_the_size_and_ignores_ranges(owner):
    asset = ingest_for(owner, LARGE)
    response = client_of(owner).head(f"/media/{asset.id}", headers={"range": "bytes=0-9"})
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Length"] == str(SIZE)
    assert response["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize("range_header", ["", "bytes=5-600000"])
@pytest.mark.parametrize("is_left_half_way", [True, False])
def test_the_file_is_closed_whether_or_not_the_client_stays(
    owner, monkeypatch, range_header, is_left_half_way
):
    opened, open_file = [], storage.open_file

    def watched(*, name):
        opened.append(open_file(name=name))
        return opened[-1]

    monkeypatch.setattr(storage, "open_file", watched)
    asset = ingest_for(owner, LARGE)
    response = client_of(owner).get(f"/media/{asset.id}", headers={"range": range_header})
    if is_left_half_way:
        next(iter(response))
    else:
        body(response)
    response.close()
    assert [file.closed for file in opened] == [True]


@pytest.mark.parametrize("headers", [{"range": f"bytes={SIZE}-"}, {"if-none-match": "*"}])
def test_an_answer_without_bytes_opens_no_file(owner, monkeypatch, headers):
    asset = ingest_for(owner, LARGE)
    monkeypatch.setattr(storage, "open_file", lambda **_: 1 / 0)
    response = client_of(owner).get(f"/media/{asset.id}", headers=headers)
    assert (response.status_code in (304, 416), response.content) == (True, b"")


@pytest.mark.usefixtures("committed_db")
def test_over_a_real_connection_parts_make_up_the_file(live_server):
    owner = make_member(role=Role.OWNER)
    asset = ingest_for(owner, LARGE)
    cookies = {"sessionid": client_of(owner).cookies["sessionid"].value}
    url = f"{live_server.url}/media/{asset.id}"

    def get(path: str = "", **options: Any) -> requests.Response:
        return requests.get(url + path, cookies=cookies, timeout=10, **options)

    # What Safari asks first, then the rest in two.
    probe = get(headers={"Range": "bytes=0-1"})
    assert (probe.status_code, probe.content) == (206, LARGE[:2])
    assert probe.headers["Content-Range"] == f"bytes 0-1/{SIZE}"
    middle = get(headers={"Range": "bytes=2-300000", "If-Range": probe.headers["ETag"]})
    rest = get(headers={"Range": "bytes=300001-"})
    assert probe.content + middle.content + rest.content == LARGE

    whole = get("/download")
    assert (whole.status_code, whole.content) == (200, LARGE)
    assert re.fullmatch(
        r'attachment; filename="[\w.-]+\.jpg"', whole.headers["Content-Disposition"]
    )
    head = requests.head(url, cookies=cookies, timeout=10)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(SIZE))
    assert get(headers={"If-None-Match": probe.headers["ETag"]}).status_code == 304
    assert get(headers={"Range": f"bytes={SIZE}-"}).status_code == 416

    signed_out = requests.get(url, timeout=10, allow_redirects=False)
    assert (signed_out.status_code, signed_out.content) == (302, b"")
    traversal = f"{live_server.url}/media/{asset.id}/../../etc/passwd"
    prepared = requests.Request("GET", traversal, cookies=cookies).prepare()
    prepared.url = traversal
    with requests.Session() as session:
        assert session.send(prepared, timeout=10).status_code == 404
