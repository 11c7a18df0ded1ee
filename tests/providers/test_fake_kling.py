"""The stand-in for Kling itself: as strict as the documentation, and steerable from outside."""

import base64
import io
import time
from typing import Any

import av
import jwt
import pytest
import requests
from PIL import Image

from tests.providers.fakes.kling import FakeKling
from tests.providers.fakes.kling_faults import RESULT

GOOD: dict[str, Any] = {"model_name": "kling-v2-6", "prompt": "A boat", "mode": "pro"}


def picture(width: int = 400, height: int = 300, kind: str = "JPEG") -> str:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (9, 99, 199)).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def token(kling: FakeKling, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": kling.access_key, "exp": now + 1800, "nbf": now - 5, **changes}
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, kling.secret_key, algorithm="HS256")


def ask(
    kling: FakeKling,
    method: str,
    path: str,
    body: Any = None,
    *,
    authorization: str | None = None,
    params: dict[str, int] | None = None,
) -> requests.Response:
    sent = f"Bearer {token(kling)}" if authorization is None else authorization
    headers = {"Authorization": sent}
    url = f"{kling.base_url}{path}"
    return requests.request(method, url, json=body, params=params, headers=headers, timeout=5)


def create(kling: FakeKling, body: Any, kind: str = "text2video") -> requests.Response:
    return ask(kling, "POST", f"/v1/videos/{kind}", body)


def made(kling: FakeKling, kind: str = "text2video", **changes: Any) -> str:
    answer = create(kling, {**GOOD, **changes}, kind).json()
    assert answer["code"] == 0
    return str(answer["data"]["task_id"])


def query(kling: FakeKling, name: str, kind: str = "text2video") -> dict[str, Any]:
    whole: dict[str, Any] = ask(kling, "GET", f"/v1/videos/{kind}/{name}").json()
    return whole


def link(kling: FakeKling, name: str, kind: str = "text2video") -> str:
    return str(query(kling, name, kind)["data"]["task_result"]["videos"][0]["url"])


# --- what it takes, and what it refuses ---


def test_a_good_order_is_answered_as_documented(kling: FakeKling) -> None:
    whole = create(kling, {**GOOD, "external_task_id": "job-42"}).json()
    assert (whole["code"], whole["message"]) == (0, "SUCCEED")
    data = whole["data"]
    assert set(data) == {"task_id", "task_status", "task_info", "created_at", "updated_at"}
    assert data["task_id"].isdecimal()
    assert (data["task_status"], data["task_info"]) == (
        "submitted",
        {"external_task_id": "job-42"},
    )
    assert isinstance(data["created_at"], int)
    assert kling.made_per_external_id() == {"job-42": 1}


def test_a_token_is_looked_at_closely(kling: FakeKling) -> None:
    now = int(time.time())
    other_key = "another-secret-key-0123456789-abcdef"
    claims = {"iss": kling.access_key, "exp": now + 1800, "nbf": now - 5}
    longer = jwt.encode(claims, kling.secret_key + "0" * 64, algorithm="HS512")
    refused = {
        "": 1001,
        "Basic abc": 1002,
        "Bearer not-a-token": 1002,
        f"Bearer {longer}": 1002,
        f"Bearer {jwt.encode(claims, other_key, algorithm='HS256')}": 1000,
        f"Bearer {token(kling, iss='someone-else')}": 1000,
        f"Bearer {token(kling, nbf=None)}": 1002,
        f"Bearer {token(kling, exp=None)}": 1002,
        f"Bearer {token(kling, nbf=now + 600)}": 1003,
        f"Bearer {token(kling, exp=now - 1)}": 1004,
    }
    for authorization, code in refused.items():
        answer = ask(kling, "POST", "/v1/videos/text2video", GOOD, authorization=authorization)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert "data" not in answer.json()
    assert kling.made == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cfg_scale": 0.5}, 1201),
        ({"camera_control": {}}, 1201),
        ({"image": picture()}, 1201),
        ({"duration": 5}, 1200),
        ({"duration": "7"}, 1201),
        ({"mode": "master"}, 1201),
        ({"aspect_ratio": "4:5"}, 1201),
        ({"prompt": ""}, 1201),
        ({"prompt": None}, 1200),
        ({"prompt": "x" * 2501}, 1201),
        ({"negative_prompt": "x" * 2501}, 1201),
        ({"external_task_id": ""}, 1201),
        ({"external_task_id": 7}, 1200),
        ({"callback_url": "http://x"}, 1201),
        ({"watermark_info": {"enabled": 1}}, 1201),
        ({"mode": "std", "sound": "on"}, 1201),
        ({"model_name": "kling-v1"}, 1203),
    ],
)
def test_what_the_documentation_refuses_of_text_is_refused(
    kling: FakeKling, change: dict[str, Any], code: int
) -> None:
    answer = create(kling, {**GOOD, **change})
    assert answer.json()["code"] == code
    assert answer.status_code == {1200: 400, 1201: 400, 1203: 404}[code]
    assert kling.made == []


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"image": "data:image/jpeg;base64," + picture()},
        {"image": "https://example.com/a.jpg"},
        {"image": base64.b64encode(b"no picture").decode()},
        {"image": picture(kind="WEBP")},
        {"image": picture(299, 400)},
        {"image": picture(300, 751)},
        {"image": base64.b64encode(b"\0" * (10 * 1024 * 1024 + 1)).decode()},
        {"image": picture(), "aspect_ratio": "16:9"},
        {"image": picture(), "mode": "std", "sound": "on"},
        {"image": picture(), "mode": "std", "image_tail": picture()},
        {"image": picture(), "sound": "on", "image_tail": picture()},
        {"image": picture(), "voice_list": [{"voice_id": "1"}]},
    ],
)
def test_what_the_documentation_refuses_of_images_is_refused(
    kling: FakeKling, change: dict[str, Any]
) -> None:
    answer = create(kling, {**GOOD, **change}, "image2video")
    assert (answer.status_code, answer.json()["code"]) == (400, 1201)
    assert kling.made == []


@pytest.mark.parametrize(
    "change",
    [
        {"image": picture(300, 750)},
        {"image": picture(kind="PNG"), "mode": "std"},
        {"image": picture(), "image_tail": picture()},
        {"image": picture(), "sound": "on", "voice_list": [{"voice_id": "1"}]},
    ],
)
def test_what_the_documentation_allows_of_images_is_made(
    kling: FakeKling, change: dict[str, Any]
) -> None:
    assert made(kling, "image2video", **change)


def test_a_model_can_be_missing_closed_or_asked_for_in_vain(kling: FakeKling) -> None:
    assert create(kling, {"prompt": "A boat"}).json()["code"] == 1203
    assert create(kling, ["A boat"]).json()["code"] == 1200
    kling.closed_models.add("kling-v2-6")
    assert create(kling, GOOD).json()["code"] == 1103
    assert ask(kling, "DELETE", "/v1/videos/text2video/1").json()["code"] == 1202
    assert ask(kling, "GET", "/v1/pictures").json()["code"] == 1202


def test_an_external_id_is_taken_once_in_the_whole_account(kling: FakeKling) -> None:
    made(kling, external_task_id="job-1")
    for kind, more in (("text2video", {}), ("image2video", {"image": picture()})):
        answer = create(kling, {**GOOD, **more, "external_task_id": "job-1"}, kind).json()
        assert answer["code"] == 1201
        assert "already exists" in answer["message"]
    assert kling.made_per_external_id() == {"job-1": 1}


def test_only_so_many_tasks_run_at_once(kling: FakeKling) -> None:
    kling.slots, kling.render_s = 2, 3600.0
    assert [create(kling, GOOD).json()["code"] for _ in range(3)] == [0, 0, 1303]
    kling.render_s = 0.0
    assert create(kling, GOOD).json()["code"] == 0


# --- tasks ---


def test_a_task_is_found_by_either_id_and_only_under_its_kind(kling: FakeKling) -> None:
    name = made(kling, external_task_id="job-1")
    assert query(kling, name)["data"]["task_id"] == name
    assert query(kling, "job-1")["data"]["task_id"] == name
    assert query(kling, name, "image2video")["code"] == 1203
    kling.not_found_code = 1201
    assert query(kling, "job-2")["code"] == 1201


def test_tasks_move_with_time_and_failures_are_good_answers(kling: FakeKling) -> None:
    name = made(kling)
    kling.queue_s = 3600.0
    assert query(kling, name)["data"]["task_status"] == "submitted"
    kling.queue_s, kling.render_s = 0.0, 3600.0
    running = query(kling, name)["data"]
    assert running["task_status"] == "processing"
    assert "task_result" not in running
    kling.render_s = 0.0
    done = query(kling, name)["data"]
    assert done["task_status"] == "succeed"
    assert done["task_result"]["videos"][0]["duration"] == "5.041"
    failed = query(kling, made(kling, prompt="A boat [kling:fail_risk]"))
    assert failed["code"] == 0
    assert failed["data"]["task_status"] == "failed"
    assert failed["data"]["task_status_msg"] == "Failure to pass the risk control system"


def test_lists_are_paged_newest_first(kling: FakeKling) -> None:
    names = [made(kling) for _ in range(5)]
    made(kling, "image2video", image=picture())

    def page(**params: int) -> list[str]:
        data = ask(kling, "GET", "/v1/videos/text2video", params=params).json()["data"]
        return [task["task_id"] for task in data]

    assert page() == names[::-1]
    assert page(pageNum=1, pageSize=2) == [names[4], names[3]]
    assert page(pageNum=3, pageSize=2) == [names[0]]
    assert page(pageNum=4, pageSize=2) == []
    for params in ({"pageSize": 501}, {"pageSize": 0}, {"pageNum": 0}, {"pageNum": 1001}):
        answer = ask(kling, "GET", "/v1/videos/text2video", params=params)
        assert (answer.status_code, answer.json()["code"]) == (400, 1200)


# --- files ---


@pytest.mark.parametrize(
    ("kind", "change", "size"),
    [
        ("text2video", {"duration": "10"}, (1280, 720)),
        ("text2video", {"aspect_ratio": "9:16"}, (720, 1280)),
        ("text2video", {"aspect_ratio": "1:1"}, (960, 960)),
        ("image2video", {"image": picture(301, 397)}, (720, 950)),
    ],
)
def test_a_clip_has_the_asked_length_and_ratio(
    kling: FakeKling, kind: str, change: dict[str, Any], size: tuple[int, int]
) -> None:
    answer = requests.get(link(kling, made(kling, kind, **change), kind), timeout=10)
    assert answer.headers["Content-Type"] == "video/mp4"
    with av.open(io.BytesIO(answer.content), "r") as clip:
        video = clip.streams.video[0]
        assert (video.width, video.height) == size
        assert clip.duration is not None
        length_s = clip.duration / av.time_base
    assert length_s == pytest.approx(float(change.get("duration", "5")))


def test_links_need_their_signature_no_token_and_expire(kling: FakeKling) -> None:
    url = link(kling, made(kling))
    headers = {"Authorization": f"Bearer {token(kling)}"}
    assert requests.get(url, timeout=5).status_code == 200
    assert requests.get(url, headers=headers, timeout=5).status_code == 403
    assert requests.get(url.split("?")[0], timeout=5).status_code == 403
    kling.expire_links()
    assert requests.get(url, timeout=5).status_code == 403


@pytest.mark.parametrize("kind", sorted(RESULT))
def test_files_go_wrong_as_told(kling: FakeKling, kind: str) -> None:
    kling.cause(kind)
    url = link(kling, made(kling))
    if kind == "result_cut_off":
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(url, timeout=5)
        return
    with requests.get(url, timeout=5, allow_redirects=False, stream=True) as answer:
        expected = {"result_expired": 403, "result_missing": 404, "result_redirect": 302}
        assert answer.status_code == expected.get(kind, 200)
        if kind == "result_huge":
            assert answer.headers["Content-Length"] == str(3 * 1024**3)


# --- steering ---


def test_markers_in_the_prompt_steer_and_can_be_counted(kling: FakeKling) -> None:
    marked = {**GOOD, "prompt": "A boat [kling:1303*1]"}
    assert [create(kling, marked).status_code for _ in range(3)] == [429, 200, 200]
    assert create(kling, {**GOOD, "prompt": "[kling:5001]"}).json()["code"] == 5001
    assert create(kling, {**GOOD, "prompt": "[kling:unheard_of]"}).status_code == 200
    with pytest.raises(requests.ConnectionError):
        create(kling, {**GOOD, "prompt": "[kling:drop_before]", "external_task_id": "a"})
    with pytest.raises(requests.ConnectionError):
        create(kling, {**GOOD, "prompt": "[kling:drop_after]", "external_task_id": "b"})
    assert query(kling, "a")["code"] == 1203
    assert query(kling, "b")["code"] == 0


def test_faults_hit_the_call_they_are_for(kling: FakeKling) -> None:
    name = made(kling)
    kling.cause("error", where="list", code=5000)
    kling.cause("error", where="query", code=5001, match="boat")
    assert create(kling, GOOD).status_code == 200
    assert [query(kling, name)["code"] for _ in range(2)] == [5001, 0]
    statuses = [ask(kling, "GET", "/v1/videos/text2video").status_code for _ in range(2)]
    assert statuses == [500, 200]
    with pytest.raises(ValueError, match="cannot happen"):
        kling.cause("fail_risk", where="list")


def test_it_can_be_steered_and_read_over_http(kling: FakeKling) -> None:
    control = f"{kling.origin}/__control__"

    def steer(path: str, body: Any = None) -> int:
        return requests.post(f"{control}/{path}", json=body, timeout=5).status_code

    assert steer("faults", {"kind": "error", "code": 1302, "match": "boat"}) == 200
    assert steer("faults", {"kind": "x"}) == 400
    assert steer("settings", {"render_s": 3600, "slots": 1}) == 200
    assert steer("settings", {"speed": 2}) == 400
    body = {**GOOD, "image": picture()}
    codes = [create(kling, body, "image2video").json()["code"] for _ in range(3)]
    assert codes == [1302, 0, 1303]
    seen = requests.get(f"{control}/requests", timeout=5).json()
    assert [(one["status"], one["was_made"]) for one in seen] == [
        (429, False),
        (200, True),
        (429, False),
    ]
    assert seen[0]["body"]["image"] == f"<{len(picture())} characters>"
    assert requests.delete(f"{control}/faults", timeout=5).status_code == 200
    assert steer("reset") == 200
    assert (kling.requests, kling.slots) == ([], None)
