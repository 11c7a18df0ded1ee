"""The stand-in itself, as strict as the documentation; and the access tokens it gives to us."""

import base64
import io
import threading
from pathlib import Path
from typing import Any

import av
import jwt
import pytest
import requests
from PIL import Image

from creative_hub.providers.base import ErrorClass, ProviderError, UpstreamState
from creative_hub.providers.google_token import ServiceAccountToken
from creative_hub.providers.veo import VeoAdapter
from tests.providers.fakes.vertex import FakeVertex
from tests.providers.fakes.vertex_rules import AUDIENCE, BUCKET, GRANT, LITE, PROJECT
from tests.providers.orders import error_of, order

MODEL = "veo-3.1-generate-001"
PREFIX = f"gs://{BUCKET}/clips/job-1/"


@pytest.fixture
def key_file(vertex: FakeVertex, tmp_path: Path) -> Path:
    path = tmp_path / "account.json"
    vertex.write_credentials(path)
    return path


def post(
    vertex: FakeVertex,
    body: Any,
    *,
    verb: str = "predictLongRunning",
    model: str = MODEL,
    project: str = PROJECT,
    location: str = "us-central1",
    token: str | None = None,
) -> requests.Response:
    token = vertex.issue_token() if token is None else token
    path = f"v1/projects/{project}/locations/{location}/publishers/google/models/{model}:{verb}"
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(f"{vertex.origin}/{path}", json=body, headers=headers, timeout=10)


def get(vertex: FakeVertex, path: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {vertex.issue_token()}"}
    return requests.get(f"{vertex.origin}/storage/v1/b/{path}", headers=headers, timeout=10)


def start(*, instance: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
    good = {"aspectRatio": "16:9", "durationSeconds": 4, "resolution": "720p", "sampleCount": 1}
    return {
        "instances": [{"prompt": "A boat", **(instance or {})}],
        "parameters": {**good, **parameters},
    }


def picture(kind: str = "JPEG", mime: str = "image/jpeg") -> dict[str, str]:
    file = io.BytesIO()
    Image.new("RGB", (64, 36)).save(file, kind)
    return {"bytesBase64Encoded": base64.b64encode(file.getvalue()).decode(), "mimeType": mime}


# --- Vertex AI and the bucket ---


def test_a_clip_is_rendered_into_the_bucket_and_only_there(vertex: FakeVertex) -> None:
    vertex.render_s = 3600
    name = post(vertex, start(storageUri=PREFIX)).json()["name"]
    fetch = {"operationName": name}
    assert post(vertex, fetch, verb="fetchPredictOperation").json() == {"name": name}
    listing = f"{BUCKET}/o?prefix=clips/job-1/"
    assert get(vertex, listing).json() == {"kind": "storage#objects"}
    vertex.made[0].done_at = 0
    done = post(vertex, fetch, verb="fetchPredictOperation").json()
    [video] = done["response"]["videos"]
    [item] = get(vertex, listing).json()["items"]
    assert video == {"gcsUri": f"gs://{BUCKET}/{item['name']}", "mimeType": "video/mp4"}
    path = f"{BUCKET}/o/{item['name'].replace('/', '%2F')}"
    assert get(vertex, f"{path}?alt=media").content == vertex.made[0].clip
    assert get(vertex, path).json() == {"name": item["name"]}
    vertex.empty_bucket()
    assert get(vertex, f"{path}?alt=media").status_code == 404
    assert get(vertex, "other/o?prefix=").status_code == 404


@pytest.mark.parametrize(("ratio", "size"), [("16:9", (1280, 720)), ("9:16", (720, 1280))])
def test_a_clip_in_the_answer_has_the_ordered_size_and_length(
    vertex: FakeVertex, ratio: str, size: tuple[int, int]
) -> None:
    name = post(vertex, start(aspectRatio=ratio, durationSeconds=6)).json()["name"]
    done = post(vertex, {"operationName": name}, verb="fetchPredictOperation").json()
    content = base64.b64decode(done["response"]["videos"][0]["bytesBase64Encoded"])
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == size
        assert container.duration == 6 * av.time_base


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (["x"], "Invalid JSON"),
        ({"instances": [], "parameters": {}}, "one instance"),
        ({**start(), "labels": {}}, "`labels` isn't supported by this model"),
        (start(instance={"seed": 1}), "`seed` isn't supported by this model"),
        (start(instance={"prompt": ""}), "`prompt`"),
        (start(generateAudio=True), "`generateAudio` isn't supported by this model"),
        (start(numberOfVideos=1), "`numberOfVideos` isn't supported by this model"),
        (start(durationSeconds="4"), "The value type for `durationSeconds` needs to be a number."),
        (start(durationSeconds=5), "[4, 6, 8]"),
        (start(durationSeconds=True), "The value type for `durationSeconds`"),
        (start(aspectRatio="1:1"), "Unsupported aspectRatio"),
        (start(resolution="480p"), "Unsupported aspectRatio or resolution"),
        (start(resolution="1080p"), "1080p is not supported for a duration of 4 seconds"),
        (start(resolution="1080p", durationSeconds=6), "for a duration of 6 seconds"),
        (start(personGeneration="allow_adult"), "allow_adult for personGeneration"),
        (start(sampleCount=5), "`sampleCount`"),
        (start(storageUri="https://x"), "`storageUri`"),
        (start(instance={"image": {"inlineData": {}}}), "`inlineData` isn't supported"),
        (start(instance={"image": {"imageBytes": "x"}}), "`imageBytes` isn't supported"),
        (start(instance={"image": "x"}), "`image`"),
        (start(instance={"image": picture(mime="image/webp")}), "mime type"),
        (start(instance={"image": picture("PNG")}), "Unable to process input image"),
        (
            start(instance={"image": {**picture(), "bytesBase64Encoded": "data:;base64,xx"}}),
            "Unable to process input image",
        ),
    ],
)
def test_what_the_documentation_refuses_is_refused(
    vertex: FakeVertex, body: Any, text: str
) -> None:
    answer = post(vertex, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert text in error["message"]
    assert vertex.made == []


def test_a_good_picture_is_taken_with_its_person_setting(vertex: FakeVertex) -> None:
    for image in (picture(), picture("PNG", "image/png")):
        body = start(instance={"image": image}, personGeneration="allow_adult")
        assert post(vertex, body).status_code == 200


def test_the_lite_model_takes_less(vertex: FakeVertex) -> None:
    for more in ({"negativePrompt": "rain"}, {"resolution": "4k", "durationSeconds": 8}):
        assert post(vertex, start(**more), model=LITE).status_code == 400
    assert post(vertex, start(), model=LITE).status_code == 200


def test_the_address_must_be_right(vertex: FakeVertex) -> None:
    assert post(vertex, start(), project="other").status_code == 403
    assert post(vertex, start(), location="mars").status_code == 404
    assert post(vertex, start(), verb="predict").status_code == 404
    assert post(vertex, start(storageUri="gs://other/x/")).status_code == 403
    vertex.retired_models.add(MODEL)
    for model in (MODEL, "veo-3.1-generate-preview"):
        gone = post(vertex, start(), model=model)
        assert gone.status_code == 404
        text = "was not found or your project does not have access to it."
        assert gone.json()["error"]["message"].endswith(text)
    assert vertex.made == []


def test_operations_are_asked_for_by_name_under_their_model(vertex: FakeVertex) -> None:
    name = post(vertex, start()).json()["name"]
    verb = "fetchPredictOperation"
    assert post(vertex, {"operationName": name, "x": 1}, verb=verb).status_code == 400
    assert post(vertex, {"operationName": name + "0"}, verb=verb).status_code == 404
    assert post(vertex, {"operationName": name}, verb=verb, model=LITE).status_code == 404
    vertex.forget_operations()
    assert post(vertex, {"operationName": name}, verb=verb).status_code == 404


def test_every_call_needs_a_valid_token(vertex: FakeVertex) -> None:
    token = vertex.issue_token()
    assert post(vertex, start(), token=token).status_code == 200
    vertex.expire_tokens()
    assert post(vertex, start(), token=token).status_code == 401
    answer = requests.get(f"{vertex.origin}/storage/v1/b/{BUCKET}/o", timeout=5)
    assert answer.status_code == 401
    assert len(vertex.made) == 1


def test_it_can_be_steered_by_markers_and_over_http(vertex: FakeVertex) -> None:
    marked = start(instance={"prompt": "A boat [vertex:429*1] [vertex:poll_503*1]"})
    codes = [post(vertex, marked).status_code for _ in range(3)]
    assert codes == [429, 200, 200]
    fetch = {"operationName": vertex.made[0].name}
    codes = [post(vertex, fetch, verb="fetchPredictOperation").status_code for _ in range(2)]
    assert codes == [503, 200]
    control = f"{vertex.origin}/__control__"
    fault = {"kind": "error", "status": 503, "match": "boat"}
    assert requests.post(f"{control}/faults", json=fault, timeout=5).status_code == 200
    assert requests.post(f"{control}/faults", json={"kind": "x"}, timeout=5).status_code == 400
    wrong = {"kind": "error", "where": "moon"}
    assert requests.post(f"{control}/faults", json=wrong, timeout=5).status_code == 400
    assert [post(vertex, start()).status_code for _ in range(2)] == [503, 200]
    seen = requests.get(f"{control}/requests", timeout=5).json()
    assert [one["was_made"] for one in seen[-2:]] == [False, True]
    requests.post(f"{control}/reset", timeout=5)
    assert (vertex.requests, vertex.made) == ([], [])


# --- tokens ---


def test_a_key_file_opens_the_door_and_its_token_is_kept(
    vertex: FakeVertex, key_file: Path
) -> None:
    adapter = VeoAdapter(
        base_url=vertex.origin, project=PROJECT, token=ServiceAccountToken(str(key_file))
    )
    for _ in range(3):
        assert adapter.submit(order(duration_s=4)).state is UpstreamState.QUEUED
    assert len(vertex.asked("/token")) == 1
    assert len(vertex.made) == 3


def test_a_token_about_to_expire_is_replaced(vertex: FakeVertex, key_file: Path) -> None:
    token = ServiceAccountToken(str(key_file))
    vertex.token_life_s = 60
    first = token()
    vertex.token_life_s = 3600
    second = token()
    assert first != second
    assert token() == second
    assert len(vertex.asked("/token")) == 2


def test_a_refused_account_orders_nothing(vertex: FakeVertex, key_file: Path) -> None:
    vertex.refuses_account = True
    token = ServiceAccountToken(str(key_file))
    adapter = VeoAdapter(base_url=vertex.origin, project=PROJECT, token=token)
    error = error_of(lambda: adapter.submit(order(duration_s=4)))
    assert (error.error_class, error.code) == (ErrorClass.AUTH, "token_refused")
    assert error.message == "invalid_grant: Invalid JWT Signature."
    assert [request.path for request in vertex.requests] == ["/token"]
    vertex.refuses_account = False
    assert vertex.is_valid(token())


@pytest.mark.parametrize(
    "kind",
    [
        "error", "page", "drop_before", "drop_after", "garbage", "html", "empty", "truncated",
        "cut_off", "not_an_object", "no_name", "redirect", "huge", "hang_before",
    ],
)  # fmt: skip
def test_a_token_that_cannot_be_had_now_is_asked_for_later(
    vertex: FakeVertex, key_file: Path, kind: str
) -> None:
    location = f"{vertex.origin}/token"
    vertex.cause(kind, where="token", status=503, seconds=30, location=location)
    token = ServiceAccountToken(str(key_file), connect_timeout_s=0.5, read_timeout_s=0.5)
    error = error_of(token)
    assert (error.error_class, error.code) == (ErrorClass.TRANSIENT, "token_not_reached")
    assert len(vertex.asked("/token")) == 1
    assert vertex.is_valid(token())


def test_a_throttled_token_endpoint_is_asked_once(vertex: FakeVertex, key_file: Path) -> None:
    vertex.cause("error", where="token", status=429, times=9)
    assert error_of(ServiceAccountToken(str(key_file))).error_class is ErrorClass.TRANSIENT
    assert len(vertex.asked("/token")) == 1


def test_a_token_without_end_is_not_read(vertex: FakeVertex, key_file: Path) -> None:
    vertex.cause("huge", where="token")
    error = error_of(ServiceAccountToken(str(key_file)))
    assert error.message == "no token: the token endpoint's answer has no end"


def test_a_key_file_that_cannot_be_used_is_a_matter_of_access(
    vertex: FakeVertex, key_file: Path
) -> None:
    token = ServiceAccountToken(str(key_file))
    contents = ("", "[]", "{}", '{"type": "service_account", "private_key": "secret"}')
    for content in contents:
        key_file.write_text(content)
        error = error_of(token)
        assert (error.error_class, error.code) == (ErrorClass.AUTH, "key_file")
        assert "secret" not in str(error)
    vertex.write_credentials(key_file, private_key="-----BEGIN PRIVATE KEY-----\nsecret\n")
    assert error_of(token).code == "key_file"
    key_file.unlink()
    assert str(key_file) not in str(error_of(token))
    assert vertex.requests == []
    vertex.write_credentials(key_file)
    assert vertex.is_valid(token())


def test_a_signature_by_another_key_is_refused(vertex: FakeVertex) -> None:
    claims = {"iss": "x", "aud": AUDIENCE}
    assertion = jwt.encode(claims, "another key, long enough for HS256 too", "HS256")
    for form in ({}, {"grant_type": GRANT}, {"grant_type": GRANT, "assertion": assertion}):
        answer = requests.post(f"{vertex.origin}/token", data=form, timeout=5)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("hangs", [False, True])
def test_threads_that_need_a_token_at_once_share_one_question(
    vertex: FakeVertex, key_file: Path, hangs: bool
) -> None:
    if hangs:
        vertex.cause("hang_before", where="token", seconds=30, times=9)
    token = ServiceAccountToken(str(key_file), connect_timeout_s=0.5, read_timeout_s=1.5)
    outcomes: list[str] = []

    def ask() -> None:
        try:
            outcomes.append(token())
        except ProviderError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(outcomes) == 8
    assert len(vertex.asked("/token")) == 1
    assert len(set(outcomes)) == 1
    assert (outcomes[0] == "token_not_reached") is hangs
