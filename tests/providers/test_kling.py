"""The Kling adapter against a stand-in that speaks its protocol over real HTTP."""

import base64
import io
import threading
import time
from collections.abc import Callable

import av
import jwt
import pytest
import requests

from creative_hub import catalogue
from creative_hub.providers.base import (
    ErrorClass,
    Order,
    Poll,
    ProviderError,
    Recovery,
    Upstream,
    UpstreamState,
)
from creative_hub.providers.kling import PROMPT_MAX_CHARS, KlingAdapter, bearer_token
from tests.providers.fakes import kling_rules
from tests.providers.fakes.kling import FakeKling
from tests.providers.kling_orders import (
    Make,
    frame,
    image_order,
    only_answer,
    order,
    ordered,
    text_jobs,
)
from tests.providers.orders import error_of

# --- orders ---


def test_a_text_order_becomes_one_documented_call(kling: FakeKling, adapter: Make) -> None:
    done = adapter().submit(order(external_id="job-9", aspect_ratio="9:16", duration_s=10))
    [request] = kling.requests
    assert (request.method, request.path) == ("POST", "/v1/videos/text2video")
    assert request.body == {
        "model_name": "kling-v2-6",
        "prompt": "A red kite over a grey sea",
        "mode": "pro",
        "duration": "10",
        "aspect_ratio": "9:16",
        "sound": "off",
        "external_task_id": "job-9",
    }
    assert request.headers["Content-Type"] == "application/json"
    assert done.state is UpstreamState.QUEUED
    assert done.upstream_id.isdecimal()
    assert done.request_id.startswith("req-")
    assert done.result_url == ""


def test_an_order_with_a_frame_sends_it_bare_and_leaves_the_ratio_to_it(
    kling: FakeKling, adapter: Make
) -> None:
    picture = frame(1280, 720)
    adapter(mode="std").submit(image_order(external_id="job-9", frame=picture))
    [request] = kling.requests
    assert (request.method, request.path) == ("POST", "/v1/videos/image2video")
    assert request.body == {
        "model_name": "kling-v2-6",
        "prompt": "A red kite over a grey sea",
        "mode": "std",
        "duration": "5",
        "sound": "off",
        "external_task_id": "job-9",
        "image": base64.b64encode(picture).decode(),
    }


def test_the_form_the_adapter_and_the_stand_in_know_one_length_of_a_prompt() -> None:
    assert catalogue.KLING.prompt_max_chars == PROMPT_MAX_CHARS
    assert PROMPT_MAX_CHARS == kling_rules.PROMPT_MAX_CHARS


def test_the_longest_prompt_is_sent_and_a_longer_one_is_refused_before_any_call(
    kling: FakeKling, adapter: Make
) -> None:
    error = error_of(lambda: adapter().submit(order(prompt="é" * (PROMPT_MAX_CHARS + 1))))
    assert error.error_class is ErrorClass.BAD_REQUEST
    assert error.message == "Kling takes prompts of at most 2500 characters; this one has 2501"
    assert kling.requests == []
    adapter().submit(order(prompt="é" * PROMPT_MAX_CHARS))
    assert len(kling.made) == 1


def test_an_order_without_its_frame_is_refused_before_any_call(
    kling: FakeKling, adapter: Make
) -> None:
    error = error_of(lambda: adapter().submit(image_order(frame=b"")))
    assert error.error_class is ErrorClass.BAD_IMAGE
    assert kling.requests == []


def test_nothing_is_cancelled_or_collected(kling: FakeKling, adapter: Make) -> None:
    kling.queue_s = 3600.0
    client = adapter()
    job = ordered(client, order())
    kling.requests.clear()
    assert client.can_cancel is False
    assert client.cancel(job) is False
    error = error_of(lambda: client.collect(job, io.BytesIO()))
    assert error.error_class is ErrorClass.RESULT_EXPIRED
    assert kling.requests == []


def test_one_adapter_serves_many_threads(kling: FakeKling, adapter: Make) -> None:
    client = adapter()
    ids: list[str] = []

    def send(number: int) -> None:
        ids.append(client.submit(order(external_id=f"job-{number}")).upstream_id)

    threads = [threading.Thread(target=send, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(set(ids)) == 8
    assert kling.made_per_external_id() == {f"job-{i}": 1 for i in range(8)}
    assert len({request.headers["Authorization"] for request in kling.requests}) == 1


# --- tokens ---

PEM = "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_token_is_made_as_documented() -> None:
    assert bearer_token(access_key="ak-test", secret_key="sk-test", now=1_800_000_000) == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
        ".eyJpc3MiOiJhay10ZXN0IiwiZXhwIjoxODAwMDAxODAwLCJuYmYiOjE3OTk5OTk5OTV9"
        ".PX1Q3Fi5gWJvVbdzAptA5b_XcQQGe-izvFUr0pDqPHg"
    )


@pytest.mark.parametrize("secret_key", ["", PEM])
def test_a_key_that_cannot_sign_is_for_the_operator(
    kling: FakeKling, adapter: Make, secret_key: str
) -> None:
    error = error_of(lambda: adapter(secret_key=secret_key).submit(order()))
    assert (error.error_class, error.code) == (ErrorClass.AUTH, "unusable_key")
    assert kling.requests == []


def test_a_token_serves_until_a_minute_before_its_end(kling: FakeKling, adapter: Make) -> None:
    began = int(time.time())
    now = [began - 1740, began, began + 1]
    client = adapter(clock=lambda: now[min(len(kling.requests), 2)])
    for number in range(3):
        client.find(order(external_id=f"job-{number}"), sent_at=0.0)
    tokens = [
        request.headers["Authorization"].removeprefix("Bearer ") for request in kling.requests
    ]
    expiries = [
        jwt.decode(token, options={"verify_signature": False})["exp"] - began for token in tokens
    ]
    assert expiries == [60, 60, 1801]


@pytest.mark.parametrize("offset_s", [7200, -7200])
def test_a_token_that_is_not_valid_yet_or_any_more_is_renewed_once(
    kling: FakeKling, adapter: Make, offset_s: int
) -> None:
    def clock() -> float:
        return time.time() + (0 if kling.requests else offset_s)

    client = adapter(clock=clock)
    assert client.submit(order()).state is UpstreamState.QUEUED
    assert [request.status for request in kling.requests] == [401, 200]
    assert kling.made_per_external_id() == {"job-1": 1}


@pytest.mark.parametrize(("offset_s", "code"), [(7200, "1003"), (-7200, "1004")])
def test_a_clock_that_is_wrong_for_good_is_for_the_operator(
    kling: FakeKling, adapter: Make, offset_s: int, code: str
) -> None:
    client = adapter(clock=lambda: time.time() + offset_s)
    error = error_of(lambda: client.submit(order()))
    assert (error.error_class, error.code) == (ErrorClass.AUTH, code)
    assert len(kling.requests) == 2
    assert kling.made == []


def test_a_wrong_key_is_asked_with_once(kling: FakeKling, adapter: Make) -> None:
    client = adapter(secret_key="another-secret-key-0123456789-abcdef")
    error = error_of(lambda: client.submit(order()))
    assert (error.error_class, error.code) == (ErrorClass.AUTH, "1000")
    assert len(kling.requests) == 1


# --- orders sent twice, and looked up ---


@pytest.mark.parametrize("make_order", [order, image_order])
def test_an_order_sent_twice_is_one_task(
    kling: FakeKling, adapter: Make, make_order: Callable[..., Order]
) -> None:
    slept: list[float] = []
    client = adapter(sleep=slept.append)
    kling.render_s = 3600.0
    first = client.submit(make_order())
    second = client.submit(make_order())
    assert second.upstream_id == first.upstream_id
    assert second.state is UpstreamState.RUNNING
    assert slept == [2.0]
    assert [request.method for request in kling.requests] == ["POST", "POST", "GET"]
    assert kling.made_per_external_id() == {"job-1": 1}


@pytest.mark.parametrize("look", [{"code": 1203}, {"code": 5000}, {"code": 1000}])
def test_an_order_that_is_taken_but_not_found_stays_in_doubt(
    kling: FakeKling, adapter: Make, look: dict[str, int]
) -> None:
    client = adapter()
    client.submit(order())
    kling.cause("error", where="query", **look)
    error = error_of(lambda: client.submit(order()))
    assert error.error_class is ErrorClass.AMBIGUOUS
    assert kling.made_per_external_id() == {"job-1": 1}


def test_a_task_that_failed_is_adopted_and_the_poll_tells(kling: FakeKling, adapter: Make) -> None:
    client = adapter()
    one = order(prompt="A kite [kling:fail_risk]")
    client.submit(one)
    again = client.submit(one)
    assert again.state is UpstreamState.RUNNING
    answer = only_answer(client, Poll(upstream_id=again.upstream_id, order=one))
    assert isinstance(answer, ProviderError)
    assert answer.error_class is ErrorClass.CONTENT_REFUSED


@pytest.mark.parametrize("make_order", [order, image_order])
def test_a_task_whose_answer_was_lost_is_found_by_our_id(
    kling: FakeKling, adapter: Make, make_order: Callable[..., Order]
) -> None:
    client = adapter()
    assert client.recovery is Recovery.LOOK_UP
    kling.cause("drop_after")
    assert error_of(lambda: client.submit(make_order())).error_class is ErrorClass.AMBIGUOUS
    kling.queue_s = 3600.0
    found = client.find(make_order(frame=b""), sent_at=0.0)
    assert found is not None
    assert found.state is UpstreamState.QUEUED
    kind = "image2video" if make_order is image_order else "text2video"
    [task] = kling.page(kind, number=1, size=9)
    assert found.upstream_id == task.task_id
    assert len(kling.made) == 1


@pytest.mark.parametrize("not_found_code", [1201, 1203])
def test_an_order_that_never_arrived_is_not_found(
    kling: FakeKling, adapter: Make, not_found_code: int
) -> None:
    kling.not_found_code = not_found_code
    client = adapter()
    kling.cause("drop_before")
    assert error_of(lambda: client.submit(order())).error_class is ErrorClass.AMBIGUOUS
    assert client.find(order(), sent_at=0.0) is None
    assert client.find(order(external_id="../a b?c"), sent_at=0.0) is None
    assert kling.requests[-1].path == "/v1/videos/text2video/..%2Fa%20b%3Fc"


def test_a_task_of_the_other_kind_is_not_ours(adapter: Make) -> None:
    client = adapter()
    client.submit(order())
    assert client.find(image_order(), sent_at=0.0) is None


# --- bounds ---


def test_the_longest_calls_are_stated() -> None:
    client = KlingAdapter(base_url="http://127.0.0.1:1", access_key="a", secret_key="s")
    assert client.submit_limit_s == (10 + 60) + 2 + (10 + 30) + 30
    assert client.poll_limit_s == 2 * (10 + 30) + 30
    assert (client.poll_interval_s, client.poll_batch, client.find_settles_s) == (2.0, 500, 10.0)


@pytest.mark.parametrize("kind", ["hang_before", "hang_after", "drip"])
def test_a_create_is_cut_and_sent_once(kling: FakeKling, adapter: Make, kind: str) -> None:
    kling.cause(kind, seconds=0.05 if kind == "drip" else 30.0)
    client = adapter(connect_timeout_s=0.2, create_timeout_s=0.4)
    began = time.monotonic()
    assert error_of(lambda: client.submit(order())).error_class is ErrorClass.AMBIGUOUS
    assert time.monotonic() - began < client.submit_limit_s
    assert len(kling.requests) == 1


def test_a_poll_has_one_deadline_however_many_calls_it_would_make(
    kling: FakeKling, adapter: Make
) -> None:
    lost = text_jobs(kling, 5)
    kling.reset()
    kling.cause("hang_before", where="query", seconds=30.0, times=5)
    client = adapter(connect_timeout_s=0.2, read_timeout_s=0.2)
    assert error_of(lambda: client.poll(lost)).error_class is ErrorClass.TRANSIENT
    # The list, then two that take half of the time each; a third may just have begun.
    assert len(kling.requests) <= 4


def test_a_refused_connection_never_reached_them(adapter: Make) -> None:
    error = error_of(lambda: adapter(base_url="http://127.0.0.1:9").submit(order()))
    assert (error.error_class, error.code) == (ErrorClass.TRANSIENT, "not_reached")


# --- results ---


@pytest.mark.parametrize(
    ("one", "size"),
    [
        (order(aspect_ratio="9:16"), (720, 1280)),
        (image_order(frame=frame(500, 400)), (900, 720)),
    ],
)
def test_the_link_leads_to_a_clip_of_the_asked_length_and_ratio(
    adapter: Make, one: Order, size: tuple[int, int]
) -> None:
    client = adapter()
    answer = only_answer(client, ordered(client, one))
    assert isinstance(answer, Upstream)
    content = requests.get(answer.result_url, timeout=10).content
    with av.open(io.BytesIO(content), "r") as clip:
        video = clip.streams.video[0]
        assert (video.width, video.height) == size
        assert clip.duration is not None
        assert clip.duration / av.time_base == pytest.approx(5.0)
