"""The stand-in's video tasks: as strict as the documentation, and steerable."""

import base64
import io
import time
from typing import Any

import av
import pytest
import requests
from PIL import Image

from tests.providers.fakes.ark import FakeArk
from tests.providers.fakes.ark_task_rules import SIZES

TEXT = {"type": "text", "text": "A boat"}
GOOD = {
    "model": "seedance-1-0-pro-250528", "content": [TEXT], "resolution": "480p", "ratio": "16:9",
    "duration": 2, "watermark": False, "safety_identifier": "job-1",
}  # fmt: skip
HOUR_S = 3600


def call(
    ark: FakeArk, method: str, path: str = "", *, key: str | None = None, **more: Any
) -> requests.Response:
    headers = {"Authorization": f"Bearer {ark.api_key if key is None else key}"}
    url = f"{ark.base_url}/contents/generations/tasks{path}"
    return requests.request(method, url, headers=headers, timeout=5, **more)


def create(ark: FakeArk, **changes: Any) -> requests.Response:
    return call(ark, "POST", json={**GOOD, **changes})


def image(
    *, size: tuple[int, int] = (640, 360), kind: str = "JPEG", named: str = "jpeg", **part: Any
) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, kind)
    url = f"data:image/{named};base64," + base64.b64encode(buffer.getvalue()).decode()
    return {"type": "image_url", "image_url": {"url": url}, **part}


def link(url: str, **part: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, **part}


# --- creating ---


def test_a_task_ends_in_a_clip_of_the_documented_size_and_the_asked_length(ark: FakeArk) -> None:
    made = create(ark, resolution="480p", ratio="9:16", duration=3)
    assert list(made.json()) == ["id"]
    task = call(ark, "GET", f"/{made.json()['id']}").json()
    assert (task["status"], task["safety_identifier"]) == ("succeeded", "job-1")
    assert (task["resolution"], task["ratio"], task["duration"]) == ("480p", "9:16", 3)
    tokens = 480 * 864 * 24 * 3 // 1024
    assert task["usage"] == {"completion_tokens": tokens, "total_tokens": tokens}
    content = requests.get(task["content"]["video_url"], timeout=5).content
    with av.open(io.BytesIO(content), "r") as clip:
        stream = clip.streams.video[0]
        assert (stream.width, stream.height) == (480, 864)
        assert clip.duration == 3 * 1_000_000


def test_the_sizes_and_the_tokens_are_the_documented_ones(ark: FakeArk) -> None:
    assert SIZES["1080p", "16:9"] == (1920, 1088)
    assert SIZES["1080p", "1:1"] == (1440, 1440)
    assert SIZES["1080p", "9:16"] == (1088, 1920)
    assert SIZES["720p", "16:9"] == (1248, 704)
    assert len(SIZES) == 18
    made = create(ark, resolution="1080p", duration=5).json()["id"]
    assert call(ark, "GET", f"/{made}").json()["usage"]["total_tokens"] == 244_800


@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"n": 2}, 400, "InvalidParameter", "n"),
        ({"draft": False}, 400, "InvalidParameter", "draft"),
        ({"priority": 1}, 400, "InvalidParameter", "priority"),
        ({"output_format": "mp4"}, 400, "InvalidParameter", "output_format"),
        ({"ratio": "adaptive"}, 400, "InvalidParameter", "ratio"),
        ({"ratio": "4:5"}, 400, "InvalidParameter", "ratio"),
        ({"resolution": "4k"}, 400, "InvalidParameter", "resolution"),
        ({"duration": 1}, 400, "InvalidParameter", "duration"),
        ({"duration": 13}, 400, "InvalidParameter", "duration"),
        ({"duration": -1}, 400, "InvalidParameter", "duration"),
        ({"duration": "5"}, 400, "InvalidParameter", "duration"),
        ({"duration": 5.0}, 400, "InvalidParameter", "duration"),
        ({"duration": True}, 400, "InvalidParameter", "duration"),
        ({"duration": None}, 400, "InvalidParameter", "duration"),
        ({"frames": 30}, 400, "InvalidParameter", "frames"),
        ({"seed": -2}, 400, "InvalidParameter", "seed"),
        ({"seed": True}, 400, "InvalidParameter", "seed"),
        ({"watermark": "false"}, 400, "InvalidParameter", "watermark"),
        ({"service_tier": "fast"}, 400, "InvalidParameter", "service_tier"),
        ({"safety_identifier": "x" * 65}, 400, "InvalidParameter", "safety_identifier"),
        ({"content": []}, 400, "InvalidParameter", "content"),
        ({"content": "A boat"}, 400, "InvalidParameter", "content"),
        ({"content": [{"type": "video"}]}, 400, "InvalidParameter", "content"),
        ({"content": [{**TEXT, "extra": 1}]}, 400, "InvalidParameter", "content"),
        ({"content": [{"type": "text", "text": " "}]}, 400, "InvalidParameter", "content.text"),
        ({"model": "seedance-1-0-pro"}, 404, "InvalidEndpointOrModel.NotFound", None),
        ({"model": "seedance-1-5-pro-251215"}, 404, "InvalidEndpointOrModel.NotFound", None),
        ({"model": ["x"]}, 404, "InvalidEndpointOrModel.NotFound", None),
    ],
)
def test_what_the_documentation_refuses_is_refused(
    ark: FakeArk, change: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    answer = create(ark, **change)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error.get("param")) == (status, code, param)
    assert "Request id: " in error["message"]
    assert ark.tasks == {}
    assert [(made.status, made.task_id) for made in ark.creates] == [(status, "")]


def test_a_field_of_another_model_is_refused_with_the_documented_sentence(ark: FakeArk) -> None:
    message = create(ark, draft=True).json()["error"]["message"]
    sentence = "draft is not supported for model seedance-1-0-pro-250528, must be empty."
    assert message.startswith(sentence)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([image(role="reference_image")], "InvalidParameter"),
        ([image(role="first_frame"), image(role="first_frame")], "InvalidParameter"),
        ([image(), image()], "InvalidParameter"),
        ([image(role="last_frame")], "InvalidParameter"),
        ([image(size=(299, 400))], "InvalidParameter"),
        ([image(size=(1000, 390))], "InvalidParameter"),
        ([image(kind="PNG")], "InvalidParameter"),
        ([link("data:image/jpeg;base64,AAAA")], "InvalidParameter"),
        ([link("data:image/jpeg;base64,?")], "InvalidParameter"),
        ([image(named="JPEG")], "InvalidImageURL.InvalidFormat"),
        ([link("ftp://files.example/a.jpg")], "InvalidImageURL.InvalidFormat"),
        ([link("")], "InvalidImageURL.EmptyURL"),
    ],
)
def test_pictures_that_cannot_be_used_are_refused(
    ark: FakeArk, parts: list[dict[str, Any]], code: str
) -> None:
    answer = create(ark, content=[TEXT, *parts])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert ark.tasks == {}


@pytest.mark.parametrize(
    "parts",
    [
        [image()],
        [image(role="first_frame"), image(role="last_frame")],
        [image(kind="PNG", named="png")],
        [link("https://files.example/first.jpg", role="first_frame")],
    ],
)
def test_pictures_that_can_be_used_are_taken(ark: FakeArk, parts: list[dict[str, Any]]) -> None:
    answer = create(ark, content=[TEXT, *parts], ratio="adaptive")
    assert answer.status_code == 200
    [task] = ark.tasks.values()
    assert (task.asked.images, task.asked.ratio) == (len(parts), "16:9")


def test_options_in_the_text_win_and_are_read_loosely(ark: FakeArk) -> None:
    text = "A boat --rs 1080p --dur 12 --rt 1:1 --wm true"
    create(ark, content=[{"type": "text", "text": text}])
    create(ark, content=[{"type": "text", "text": "A boat --rs 4k --dur 99"}])
    obeyed, ignored = (task.asked for task in ark.tasks.values())
    assert (obeyed.resolution, obeyed.duration, obeyed.ratio) == ("1080p", 12, "1:1")
    assert obeyed.watermark is True
    assert (ignored.resolution, ignored.duration, ignored.ratio) == ("480p", 2, "16:9")


def test_a_missing_field_a_wrong_key_and_a_closed_model_are_refused(ark: FakeArk) -> None:
    missing = call(ark, "POST", json={"model": GOOD["model"]})
    assert missing.json()["error"]["code"] == "MissingParameter"
    assert call(ark, "POST", json=[]).status_code == 400
    for method, path in (("POST", ""), ("GET", ""), ("GET", "/cgt-1"), ("DELETE", "/cgt-1")):
        assert call(ark, method, path, key="other", json=GOOD).status_code == 401
    ark.closed_models.add("seedance-1-0-pro-250528")
    closed = create(ark)
    assert (closed.status_code, closed.json()["error"]["code"]) == (404, "ModelNotOpen")
    assert ark.tasks == {}


# --- what becomes of a task ---


def test_a_task_goes_from_the_line_to_its_end_by_time(ark: FakeArk) -> None:
    ark.queue_s, ark.render_s = 100.0, 100.0
    task_id = create(ark).json()["id"]
    states = []
    for age_s in (0, 150, 250):
        ark.tasks[task_id].created_at = time.time() - age_s
        task = call(ark, "GET", f"/{task_id}").json()
        states.append((task["status"], "content" in task))
    assert states == [("queued", False), ("running", False), ("succeeded", True)]


def test_a_failed_task_is_a_good_answer_with_an_error(ark: FakeArk) -> None:
    ark.cause("task_failed", code="OutputVideoSensitiveContentDetected", message="No.")
    answer = call(ark, "GET", f"/{create(ark).json()['id']}")
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
    assert answer.json()["error"]["code"] == "OutputVideoSensitiveContentDetected"


def test_a_link_lives_for_24_hours_and_a_task_for_7_days(ark: FakeArk) -> None:
    young, old, oldest = (
        ark.put_task(created_at=time.time() - age_s * HOUR_S) for age_s in (23, 25, 7 * 24 + 1)
    )
    assert requests.get(young.link, timeout=5).status_code == 200
    assert requests.get(young.link.split("?")[0], timeout=5).status_code == 403
    assert requests.get(old.link, timeout=5).status_code == 403
    assert call(ark, "GET", f"/{old.id}").status_code == 200
    assert call(ark, "GET", f"/{oldest.id}").json()["error"]["code"] == "ResourceNotFound"
    ark.expire_links()
    assert requests.get(young.link, timeout=5).status_code == 403


def test_clips_go_wrong_as_told_and_heal(ark: FakeArk) -> None:
    ark.cause("result_text", where="create")
    task = ark.tasks[create(ark).json()["id"]]
    assert requests.get(task.link, timeout=5).content == b"this is no picture"
    ark.heal_results()
    assert requests.get(task.link, timeout=5).content[4:8] == b"ftyp"


# --- lists ---


def test_a_list_is_newest_first_in_pages_and_filtered(ark: FakeArk) -> None:
    now = time.time()
    states = ("queued", "running", "failed", "succeeded")
    oldest, *_, newest = tasks = [
        ark.put_task(state=state, identifier=state, created_at=now - 40 + 10 * number)
        for number, state in enumerate(states)
    ]
    ids = [task.id for task in reversed(tasks)]

    def listed(query: str) -> tuple[list[str], int]:
        answer = call(ark, "GET", f"?{query}").json()
        return [item["id"] for item in answer["items"]], answer["total"]

    assert listed("") == (ids, 4)
    assert listed("page_num=2&page_size=3") == ([oldest.id], 4)
    assert listed("filter.status=failed") == ([tasks[2].id], 1)
    assert listed("filter.model=seedance-1-0-pro-250528")[1] == 4
    assert listed("filter.model=seedance-1-0-pro")[1] == 0
    both = f"filter.task_ids={oldest.id}&filter.task_ids={newest.id}"
    assert listed(both) == ([newest.id, oldest.id], 2)
    flex = ark.put_task(service_tier="flex")
    assert listed("")[1] == 4
    assert listed("filter.service_tier=flex") == ([flex.id], 1)
    for wrong in ("page_size=501", "page_num=0", "filter.status=done", "order=asc", "page_num=x"):
        assert call(ark, "GET", f"?{wrong}").status_code == 400
    assert call(ark, "GET", "?" + "filter.task_ids=x&" * 600).status_code == 414


@pytest.mark.parametrize(
    ("switch", "in_list", "in_task"),
    [
        (None, True, True),
        ("echoes_identifier_in_lists", False, True),
        ("echoes_identifier", True, False),
        ("echoes_identifier_while_running", False, False),
    ],
)
def test_where_the_identifier_is_echoed_can_be_set(
    ark: FakeArk, switch: str | None, in_list: bool, in_task: bool
) -> None:
    task = ark.put_task(identifier="job-1", state="running")
    if switch:
        setattr(ark, switch, False)
    [item] = call(ark, "GET").json()["items"]
    assert ("safety_identifier" in item) is in_list
    assert ("safety_identifier" in call(ark, "GET", f"/{task.id}").json()) is in_task


# --- deleting ---


def test_a_queued_task_is_cancelled_and_a_running_one_is_not(ark: FakeArk) -> None:
    queued, running = ark.put_task(state="queued"), ark.put_task(state="running")
    answer = call(ark, "DELETE", f"/{queued.id}")
    assert (answer.status_code, answer.json()) == (200, {})
    assert call(ark, "GET", f"/{queued.id}").json()["status"] == "cancelled"
    assert call(ark, "DELETE", f"/{queued.id}").status_code == 409
    assert call(ark, "DELETE", f"/{running.id}").status_code == 409
    assert call(ark, "DELETE", "/cgt-1").status_code == 404
    queued.created_at -= 25 * HOUR_S
    assert call(ark, "GET", f"/{queued.id}").status_code == 404


@pytest.mark.parametrize("state", ["succeeded", "failed", "expired"])
def test_the_record_of_one_that_has_ended_is_deleted(ark: FakeArk, state: str) -> None:
    task = ark.put_task(state=state)
    assert call(ark, "DELETE", f"/{task.id}").status_code == 200
    assert call(ark, "GET", f"/{task.id}").status_code == 404


# --- steering ---


def test_a_fault_hits_only_the_call_it_is_meant_for(ark: FakeArk) -> None:
    for where in ("create", "query", "list", "delete"):
        ark.cause("error", where=where, status=503)
    task = ark.put_task(state="queued")
    asked = [("POST", ""), ("GET", f"/{task.id}"), ("GET", ""), ("DELETE", f"/{task.id}")]
    for status in (503, 200):
        assert [call(ark, *one, json=GOOD).status_code for one in asked] == [status] * 4
    with pytest.raises(ValueError, match="unknown place"):
        ark.cause("error", where="nowhere")


def test_markers_steer_a_create_and_can_be_counted(ark: FakeArk) -> None:
    marked = [{"type": "text", "text": "A boat [ark:429*1]"}]
    assert [create(ark, content=marked).status_code for _ in range(2)] == [429, 200]
    [task_id] = ark.tasks
    assert call(ark, "GET", f"/{task_id}").status_code == 200


def test_every_call_is_on_record(ark: FakeArk) -> None:
    ark.queue_s, ark.queued_cap = 100.0, 1
    task_id = create(ark).json()["id"]
    assert create(ark).json()["error"]["code"] == "QuotaExceeded"
    call(ark, "GET", f"/{task_id}")
    call(ark, "GET", "?page_num=1")
    assert [(made.method, made.path, made.query, made.status) for made in ark.calls] == [
        ("POST", "", "", 200),
        ("POST", "", "", 429),
        ("GET", f"/{task_id}", "", 200),
        ("GET", "", "page_num=1", 200),
    ]
    assert [made.safety_identifier for made in ark.creates] == ["job-1", "job-1"]
    assert ark.made_tasks_per_identifier() == {"job-1": 1}
    assert ark.requests == []
    ark.reset()
    assert [*ark.calls, *ark.creates, *ark.tasks] == []
    assert ark.queued_cap is None
