"""The same library on an S3 store, over real HTTP: moto's server stands in for the store."""

import io
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import requests
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from moto.server import ThreadedMotoServer
from storages.backends.s3 import S3Storage

from assets import imaging, selectors, storage
from assets.errors import StoreUnavailable
from assets.models import Asset
from tests.assets import pictures, videos
from tests.assets.makers import client_of, ingest_for
from tests.factories import make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def store_url():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(settings, store_url, media_root):
    name = f"media-{uuid.uuid4().hex[:12]}"
    options = {"endpoint_url": store_url, "region_name": "us-east-1"}
    keys = {"aws_access_key_id": "test-key", "aws_secret_access_key": "test-secret"}
    bucket = boto3.resource("s3", **options, **keys).create_bucket(Bucket=name)
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                **options,
                "bucket_name": name,
                "access_key": "test-key",
                "secret_key": "test-secret",
                "addressing_style": "path",
                "querystring_auth": True,
                "querystring_expire": settings.MEDIA_LINK_S,
                "default_acl": None,
                "file_overwrite": True,
                "signature_version": "s3v4",
            },
        },
    }
    return bucket


@pytest.fixture
def owner():
    return make_member(role=Role.OWNER)


def keys_in(bucket) -> list[str]:
    return sorted(item.key for item in bucket.objects.all())


def link_of(member, path: str, method: str = "get") -> str:
    response = getattr(client_of(member), method)(f"/media/{path}")
    assert (response.status_code, response.content) == (302, b"")
    return str(response["Location"])


def test_an_ingest_stores_the_original_and_thumbnails_with_their_types(bucket, owner, media_root):
    data = pictures.jpeg(1200, 1500)
    asset = ingest_for(owner, data)
    folder = asset.folder
    assert keys_in(bucket) == [
        f"{folder}/480.webp",
        f"{folder}/960.webp",
        f"{folder}/original.jpg",
    ]
    types = [bucket.Object(key).content_type for key in keys_in(bucket)]
    assert types == ["image/webp", "image/webp", "image/jpeg"]
    assert bucket.Object(f"{folder}/original.jpg").get()["Body"].read() == data
    assert storage.read_original(asset) == data
    assert not media_root.exists()


def test_a_link_gives_the_original_to_anybody_who_has_it_for_five_minutes(bucket, owner):
    data = pictures.jpeg(300, 200)
    asset = ingest_for(owner, data)
    link = link_of(owner, str(asset.id))
    signed = parse_qs(urlsplit(link).query)
    assert signed["X-Amz-Expires"] == ["300"]
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert re.fullmatch("[0-9a-f]{64}", signed["X-Amz-Signature"][0])
    answer = requests.get(link, timeout=10)
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["Content-Type"] == "image/jpeg"
    part = requests.get(link, headers={"Range": "bytes=10-19"}, timeout=10)
    assert (part.status_code, part.content) == (206, data[10:20])


def test_the_same_address_without_its_signature_gives_nothing(bucket, owner):
    asset = ingest_for(owner)
    for path in ("", "/480", "/download"):
        link = link_of(owner, f"{asset.id}{path}")
        assert requests.get(link.partition("?")[0], timeout=10).status_code == 403


def test_a_download_link_carries_the_name(bucket, owner):
    asset = ingest_for(owner)
    answer = requests.get(link_of(owner, f"{asset.id}/download"), timeout=10)
    assert (
        answer.headers["Content-Disposition"]
        == 'attachment; filename="wevion-image-20260702-desert-highway-4x5-v2.jpg"'
    )


def test_thumbnails_are_links_too(bucket, owner):
    asset = ingest_for(owner)
    for width in (480, 960):
        answer = requests.get(link_of(owner, f"{asset.id}/{width}"), timeout=10)
        assert pictures.reopened(answer.content).size == (width, width * 5 // 4)
        assert answer.headers["Content-Type"] == "image/webp"


def test_head_gets_a_link_that_is_signed_for_head(bucket, owner):
    asset = ingest_for(owner)
    link = link_of(owner, str(asset.id), "head")
    assert (
        link.split("X-Amz-Signature=")[1]
        != link_of(owner, str(asset.id)).split("X-Amz-Signature=")[1]
    )
    answer = requests.head(link, timeout=10)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(asset.bytes))


def test_a_redirect_is_kept_for_less_than_its_link_lives_and_for_one_session_only(bucket, owner):
    asset = ingest_for(owner)
    response = client_of(owner).get(f"/media/{asset.id}")
    assert response["Cache-Control"] == "private, max-age=240"
    assert "Cookie" in response["Vary"]
    assert response["Referrer-Policy"] == "no-referrer"


def test_who_may_not_see_an_asset_gets_no_link(bucket, owner):
    asset = ingest_for(owner)
    team = {"workspace_id": owner.workspace_id}
    wanted = {
        404: [make_member(role=Role.MEDIABUYER, **team), make_member(role=Role.OWNER)],
        403: [make_member(role=Role.FINANCE, **team)],
    }
    for status, members in wanted.items():
        for member in members:
            for path in ("", "/480", "/download"):
                response = client_of(member).get(f"/media/{asset.id}{path}")
                assert response.status_code == status
                assert "Location" not in response
                assert b"Signature" not in response.content
    signed_out = Client().get(f"/media/{asset.id}")
    assert signed_out.status_code == 302
    assert "Signature" not in signed_out["Location"]


def test_a_refused_file_leaves_nothing_in_the_bucket(bucket, owner):
    with pytest.raises(Exception, match="not a JPEG"):
        ingest_for(owner, b"<html>")
    assert keys_in(bucket) == []
    assert not Asset.objects.exists()


def test_a_second_ingest_stores_nothing(bucket, owner):
    first = ingest_for(owner, source_reference="job:1")
    assert ingest_for(owner, pictures.png(9, 9), source_reference="job:1") == first
    assert len(keys_in(bucket)) == 3


@pytest.mark.parametrize("is_same", [True, False])
def test_a_crash_before_the_row_is_mended_by_the_next_ingest(bucket, owner, monkeypatch, is_same):
    data = pictures.jpeg(500, 400)
    with monkeypatch.context() as crash:
        crash.setattr(Asset.objects, "get_or_create", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ingest_for(owner, data, source_reference="job:1")
    left = keys_in(bucket)
    assert len(left) == 3

    asset = ingest_for(
        owner, data if is_same else pictures.jpeg(400, 500), source_reference="job:1"
    )

    assert {key.rpartition("/")[0] for key in keys_in(bucket)} == {asset.folder}
    assert (keys_in(bucket) == left) is is_same
    assert selectors.missing_files(asset_ids=[asset.id]) == []


@pytest.mark.usefixtures("committed_db")
def test_two_ingests_at_once_make_one_asset_and_one_set_of_files(bucket, monkeypatch):
    owner, barrier, examine = make_member(), threading.Barrier(2), imaging.examine

    def together(**call):
        barrier.wait(timeout=10)
        return examine(**call)

    monkeypatch.setattr(imaging, "examine", together)

    def run(data):
        try:
            return ingest_for(owner, data, source_reference="job:1")
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, [pictures.jpeg(300, 200), pictures.png(200, 300)])

    assert first == second
    assert Asset.objects.count() == 1
    assert {key.rpartition("/")[0] for key in keys_in(bucket)} == {first.folder}
    assert selectors.missing_files(asset_ids=[first.id]) == []


def test_missing_files_asks_the_store(bucket, owner):
    whole, gone, cut = (ingest_for(owner, pictures.jpeg(60 + n, 60)) for n in range(3))
    bucket.Object(f"{gone.folder}/960.webp").delete()
    bucket.Object(f"{cut.folder}/original.jpg").put(Body=b"short")
    ids = [whole.id, gone.id, cut.id]
    assert selectors.missing_files(asset_ids=ids) == [gone.id, cut.id]


def test_a_store_that_refuses_is_an_os_error_and_leaves_no_row(bucket, owner):
    bucket.delete()
    with pytest.raises(StoreUnavailable):
        ingest_for(owner, source_reference="job:1")
    assert not Asset.objects.exists()


def test_a_large_clip_goes_up_in_parts_and_never_whole(bucket, owner):
    data = videos.large(size_bytes=30_000_000, duration_s=10)
    read = []

    class Watched(io.BytesIO):
        def read(self, size=-1):
            read.append(size)
            return super().read(size)

    asset = ingest_for(owner, file=Watched(data), accept=("video",))

    assert (min(read) > 0, max(read)) == (True, 8 * 2**20)
    stored = bucket.Object(f"{asset.folder}/original.mp4")
    assert (stored.content_type, stored.content_length) == ("video/mp4", len(data))
    assert stored.get()["Body"].read() == data
    config = default_storage.transfer_config  # type: ignore[attr-defined]
    assert (config.max_request_concurrency, config.max_in_memory_upload_chunks) == (2, 2)


def test_a_failing_sweep_does_not_fail_the_ingest(bucket, owner, monkeypatch, caplog):
    def refused(*_):
        raise StoreUnavailable("AccessDenied")

    monkeypatch.setattr(S3Storage, "listdir", refused)
    asset = ingest_for(owner, file=io.BytesIO(pictures.jpeg(50, 50)))
    assert selectors.missing_files(asset_ids=[asset.id]) == []
    assert "asset_sweep_failed" in caplog.text
