"""The Seedance adapter against a stand-in that speaks ModelArk's protocol over real HTTP."""

import base64
import io
import time
from typing import Any

import pytest

from creative_hub.providers.base import (
    ErrorClass,
    ProviderError,
    Recovery,
    Upstream,
    UpstreamState,
)
from creative_hub.providers.seedance import SeedanceAdapter, without_flags
from tests.providers.fakes.ark import FakeArk
from tests.providers.seedance_orders import Make, clip_order, frame, job

QUEUED, RUNNING, SUCCEEDED = UpstreamState.QUEUED, UpstreamState.RUNNING, UpstreamState.SUCCEEDED
DAY_S = 24 * 3600


def only(adapter: SeedanceAdapter, upstream_id: str, **changes: Any) -> Upstream | ProviderError:
    answers = adapter.poll([job(upstream_id, **changes)])
    assert list(answers) == [upstream_id]
    return answers[upstream_id]


# --- creating ---


def test_a_text_order_becomes_one_documented_call(ark: FakeArk, seedance: Make) -> None:
    made = seedance().submit(clip_order(external_id="job-9"))
    [create] = ark.creates
    assert create.body == {
        "model": "seedance-1-0-pro-250528",
        "content": [{"type": "text", "text": "A red kite over a grey sea"}],
        "resolution": "1080p",
        "ratio": "16:9",
        "duration": 5,
        "watermark": False,
        "safety_identifier": "job-9",
    }
    assert create.headers["Authorization"] == f"Bearer {ark.api_key}"
    assert create.client_request_id == "job-9"
    assert (made.state, made.upstream_id) == (QUEUED, create.task_id)
    assert made.request_id.startswith("req-")
    assert ark.made_tasks_per_identifier() == {"job-9": 1}


def test_an_order_with_a_frame_starts_from_it_in_the_ordered_ratio(
    ark: FakeArk, seedance: Make
) -> None:
    picture = frame()
    adapter = seedance(resolution="720p", model="seedance-1-0-pro-250528")
    made = adapter.submit(
        clip_order(has_frame=True, frame=picture, aspect_ratio="9:16", duration_s=10)
    )
    [create] = ark.creates
    assert create.body == {
        "model": "seedance-1-0-pro-250528",
        "content": [
            {"type": "text", "text": "A red kite over a grey sea"},
            {
                "type": "image_url",
                "image_url": {
                    "url": "data:image/jpeg;base64," + base64.b64encode(picture).decode()
                },
                "role": "first_frame",
            },
        ],
        "resolution": "720p",
        "ratio": "9:16",
        "duration": 10,
        "watermark": False,
        "safety_identifier": "job-1",
    }
    assert ark.tasks[made.upstream_id].asked.size == (704, 1248)


def test_the_longest_calls_are_stated() -> None:
    adapter = SeedanceAdapter(base_url="http://127.0.0.1:1/api/v3", api_key="k")
    assert adapter.submit_limit_s == 130.0
    assert adapter.poll_limit_s == 70.0
    assert adapter.find_settles_s == 145.0
    assert (adapter.recovery, adapter.can_cancel) == (Recovery.LOOK_UP, True)
    assert (adapter.poll_interval_s, adapter.poll_batch) == (2.0, 500)


# --- options typed into the prompt ---


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("A boat --rs 480p", "A boat"),
        ("A boat --resolution 480p at dusk", "A boat at dusk"),
        ("--dur 12 A boat", "A boat"),
        ("A boat --ratio 9:16 --duration 12 --seed -1 --wm true --cf false", "A boat"),
        ("A boat\n--rt 1:1\nat dusk", "A boat\nat dusk"),
        ("A boat --RS 480P", "A boat"),
        ("A boat --dur=12 at dusk", "A boat at dusk"),
        ("A boat --rs\u00a0480p at dusk", "A boat at dusk"),
        ("A boat --rs\n480p at dusk", "A boat at dusk"),
        ('A boat --rs "480p" at dusk', "A boat at dusk"),
        ("A boat ---rs 480p", "A boat"),
        ("A boat,--rs 480p", "A boat,"),
        ("A boat--rs 480p at dusk", "A boat at dusk"),
        ("A boat --camerafixed true at dusk", "A boat at dusk"),
        ("A boat --camera_fixed true at dusk", "A boat at dusk"),
        ("A boat --watermark true", "A boat"),
        ("A boat --framespersecond 24 --frames 289", "A boat"),
        ("A boat --rs --dur 12", "A boat"),
        # The word after it is no value, and was meant for the clip.
        ("A boat --rs beautiful", "A boat beautiful"),
        # Whatever stands before or behind it.
        ("A boat--dur,10 at dusk", "A boat at dusk"),
        ("A boat--dur(10) at dusk", "A boat at dusk"),
        ("A boat--dur .5 at dusk", "A boat at dusk"),
        ("A boat--dur ten", "A boat ten"),
        ("A boat--ratio keep_ratio", "A boat"),
        ("A boat--rs480p at dusk", "A boat at dusk"),
        ("The garden--seed catalogue", "The garden catalogue"),
        # With what nobody sees in it or around it.
        ("A boat -\u200b-rs 480p at dusk", "A boat at dusk"),
        ("A boat --\u200drs 480p at dusk", "A boat at dusk"),
        ("A boat --r\u2060s 480p at dusk", "A boat at dusk"),
        ("A boat --rs\ufeff480p at dusk", "A boat at dusk"),
        ("A boat--dur\u00ad10 at dusk", "A boat at dusk"),
        ("A boat\u200b--dur\u200b 10\u200b at dusk", "A boat at dusk"),
        ("A boat --\u200bfoo at dusk", "A boat at dusk"),
        # With other dashes.
        ("A boat \u2013\u2013rs 480p at dusk", "A boat at dusk"),
        ("A boat \u2014\u2014rs 480p at dusk", "A boat at dusk"),
        ("A boat \u2212\u2212rs 480p at dusk", "A boat at dusk"),
        ("A boat \uff0d\uff0ddur 10 at dusk", "A boat at dusk"),
        ("A boat -\u2011\u200bdur 10 at dusk", "A boat at dusk"),
        # Unknown ones, which may be options of tomorrow.
        ("A boat --foo bar at dusk", "A boat bar at dusk"),
        ("A boat --no-people at dusk", "A boat at dusk"),
        # What is taken out must not bring forth another.
        ("A boat - --rs 480p-rs 480p", "A boat - 480p"),
        ("A boat - --foo -rs 480p", "A boat - -rs 480p"),
        # No options at all.
        ("  A boat -- at dusk --\n", "  A boat -- at dusk --\n"),
        ("A boat — at dusk –rs 480p", "A boat — at dusk –rs 480p"),
        ("A well--known boat", "A well--known boat"),
        ("Rows ----- of boats -rs 480p", "Rows ----- of boats -rs 480p"),
        ("It is --5 degrees", "It is --5 degrees"),
        ("Лодка --слово", "Лодка --слово"),
        ("A boat \u2013\u2013 at dusk \u2014 slow", "A boat \u2013\u2013 at dusk \u2014 slow"),
        ("A boat \u2013\u2013durable", "A boat \u2013\u2013durable"),
        ("A boat--durable and fast", "A boat--durable and fast"),
        (
            "\U0001f468\u200d\U0001f469 in a boat\u200b",
            "\U0001f468\u200d\U0001f469 in a boat\u200b",
        ),
    ],
)
def test_options_in_the_text_are_taken_out_and_nothing_else(typed: str, sent: str) -> None:
    assert without_flags(typed) == sent
    assert without_flags(sent) == sent


def test_taking_options_out_is_quick_for_any_text() -> None:
    began = time.monotonic()
    nested = "--r" * 600 + "\u200b--rs 1" + "s 1" * 600
    for text in ("-" * 4000, " " * 3999 + "a", "--rs" + " " * 3990 + "a", "a--" * 1300, nested):
        without_flags(text)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "flags",
    ["--rs 1080p", "--resolution=1080p", "\n--dur 12", "--wm true --ratio 21:9", "--seed 1"],
)
def test_no_option_gets_through_to_what_is_made(ark: FakeArk, seedance: Make, flags: str) -> None:
    made = seedance(resolution="480p").submit(clip_order(prompt=f"A boat {flags}", duration_s=4))
    asked = ark.tasks[made.upstream_id].asked
    assert (asked.resolution, asked.ratio, asked.duration) == ("480p", "16:9", 4)
    assert (asked.watermark, asked.text) == (False, "A boat")


@pytest.mark.parametrize("prompt", ["--rs 480p", " --dur 12\n--foo ", "--wm true --cf false"])
def test_a_prompt_of_nothing_but_options_is_refused_unsent(
    ark: FakeArk, seedance: Make, prompt: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        seedance().submit(clip_order(prompt=prompt))
    assert (caught.value.error_class, caught.value.code) == (ErrorClass.BAD_REQUEST, "only_flags")
    assert "nothing but options" in caught.value.message
    assert (ark.creates, ark.calls) == ([], [])


# --- asking ---


def test_a_task_is_followed_from_the_line_to_its_clip(ark: FakeArk, seedance: Make) -> None:
    adapter = seedance(resolution="480p")
    ark.queue_s = 1000.0
    made = adapter.submit(clip_order(duration_s=2))
    assert only(adapter, made.upstream_id) == Upstream(state=QUEUED, upstream_id=made.upstream_id)
    ark.queue_s, ark.render_s = 0.0, 1000.0
    assert only(adapter, made.upstream_id) == Upstream(state=RUNNING, upstream_id=made.upstream_id)
    ark.render_s = 0.0
    task = ark.tasks[made.upstream_id]
    assert only(adapter, made.upstream_id) == Upstream(
        state=SUCCEEDED, upstream_id=made.upstream_id, result_url=task.link
    )
    assert len(ark.calls_of("GET")) == 3


@pytest.mark.parametrize(
    ("kind", "code"), [("task_expired", "expired"), ("task_cancelled", "cancelled")]
)
def test_a_task_that_ended_without_a_clip_is_a_bad_result(
    ark: FakeArk, seedance: Make, kind: str, code: str
) -> None:
    ark.cause(kind)
    adapter = seedance()
    answer = only(adapter, adapter.submit(clip_order()).upstream_id)
    assert isinstance(answer, ProviderError)
    assert (answer.error_class, answer.code) == (ErrorClass.BAD_RESULT, code)


@pytest.mark.parametrize("kind", ["no_url", "bad_url"])
def test_a_clip_without_a_link_is_asked_for_singly_and_then_a_bad_result(
    ark: FakeArk, seedance: Make, kind: str
) -> None:
    ark.cause(kind, where="create")
    adapter = seedance()
    answer = only(adapter, adapter.submit(clip_order()).upstream_id)
    assert isinstance(answer, ProviderError)
    assert (answer.error_class, answer.code) == (ErrorClass.BAD_RESULT, "no_link")
    assert (len(ark.calls_of("GET")), len(ark.calls_of("GET", "/*"))) == (1, 1)


@pytest.mark.parametrize(
    ("count", "lists"), [(1, 1), (150, 1), (300, 1), (500, 1), (600, 2), (1500, 3)]
)
def test_many_jobs_are_asked_about_in_few_requests(
    ark: FakeArk, seedance: Make, count: int, lists: int
) -> None:
    ids = [ark.put_task(state="running").id for _ in range(count)]
    answers = seedance().poll([job(upstream_id) for upstream_id in ids])
    assert {answers[upstream_id] for upstream_id in ids} == {
        Upstream(state=RUNNING, upstream_id=upstream_id) for upstream_id in ids
    }
    assert (len(ark.calls_of("GET")), len(ark.calls)) == (lists, lists)
    assert {call.status for call in ark.calls} == {200}


@pytest.mark.parametrize("count", [300, 600])
def test_a_full_account_costs_no_more_requests_for_more_jobs(
    ark: FakeArk, seedance: Make, count: int
) -> None:
    ids = [ark.put_task(state="queued", created_at=time.time() - 60).id for _ in range(count)]
    for _ in range(2000):
        ark.put_task()
    answers = seedance().poll([job(upstream_id) for upstream_id in ids])
    assert len(answers) == 5
    assert (len(ark.calls_of("GET")), len(ark.calls_of("GET", "/*"))) == (3, 5)


def test_a_model_filter_that_finds_nothing_is_left_out(ark: FakeArk, seedance: Make) -> None:
    ark.filters_by_model = False
    ids = [ark.put_task(state="running").id for _ in range(300)]
    assert len(seedance().poll([job(upstream_id) for upstream_id in ids])) == 300
    assert [("filter.model" in call.query) for call in ark.calls] == [True, False]


def test_a_task_they_do_not_know_any_more_has_expired(ark: FakeArk, seedance: Make) -> None:
    old = ark.put_task(state="succeeded", created_at=time.time() - 8 * DAY_S)
    answer = only(seedance(), old.id)
    assert isinstance(answer, ProviderError)
    assert answer.error_class is ErrorClass.RESULT_EXPIRED
    assert (len(ark.calls_of("GET")), len(ark.calls_of("GET", f"/{old.id}"))) == (1, 1)


def test_no_job_means_no_request(ark: FakeArk, seedance: Make) -> None:
    assert seedance().poll([job("")]) == {}
    assert ark.calls == []


# --- cancelling ---


def test_a_queued_task_is_cancelled(ark: FakeArk, seedance: Make) -> None:
    task = ark.put_task(state="queued")
    assert seedance().cancel(job(task.id)) is True
    assert ark.state_of(task) == "cancelled"
    assert seedance().cancel(job(task.id)) is True
    assert len(ark.calls_of("DELETE", "/*")) == 1


@pytest.mark.parametrize("state", ["running", "succeeded", "failed", "expired"])
def test_a_task_that_runs_or_has_ended_is_left_alone(
    ark: FakeArk, seedance: Make, state: str
) -> None:
    task = ark.put_task(state=state)
    assert seedance().cancel(job(task.id)) is False
    assert ark.state_of(ark.tasks[task.id]) == state
    assert ark.calls_of("DELETE", "/*") == []


def test_a_task_that_is_gone_cannot_be_cancelled(ark: FakeArk, seedance: Make) -> None:
    assert seedance().cancel(job("cgt-unheard-of")) is False
    assert ark.calls_of("DELETE", "/*") == []


@pytest.mark.parametrize(
    ("status", "code"), [(404, "ResourceNotFound"), (409, "Conflict"), (400, "InvalidAction")]
)
def test_one_that_began_meanwhile_is_too_late(
    ark: FakeArk, seedance: Make, status: int, code: str
) -> None:
    task = ark.put_task(state="queued")
    ark.cause("error", where="delete", status=status, code=code)
    assert seedance().cancel(job(task.id)) is False
    assert ark.state_of(task) == "queued"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (500, "InternalServiceError", ErrorClass.TRANSIENT),
        (429, "AccountRateLimitExceeded", ErrorClass.RATE_LIMITED),
        (401, "AuthenticationError", ErrorClass.AUTH),
        (405, "", ErrorClass.BAD_REQUEST),
    ],
)
@pytest.mark.parametrize("where", ["query", "delete"])
def test_a_question_that_failed_says_so(
    ark: FakeArk, seedance: Make, where: str, status: int, code: str, expected: ErrorClass
) -> None:
    task = ark.put_task(state="queued")
    ark.cause("error", where=where, status=status, code=code)
    with pytest.raises(ProviderError) as caught:
        seedance().cancel(job(task.id))
    assert caught.value.error_class is expected
    assert ark.state_of(task) == "queued"


def test_a_lost_answer_to_a_cancel_is_made_good_by_the_next(ark: FakeArk, seedance: Make) -> None:
    task = ark.put_task(state="queued")
    ark.cause("drop_after", where="delete")
    with pytest.raises(ProviderError) as caught:
        seedance().cancel(job(task.id))
    assert caught.value.error_class is ErrorClass.TRANSIENT
    assert seedance().cancel(job(task.id)) is True


def test_there_is_nothing_to_collect(seedance: Make) -> None:
    file = io.BytesIO()
    with pytest.raises(ProviderError) as caught:
        seedance().collect(job("cgt-1"), file)
    assert caught.value.error_class is ErrorClass.RESULT_EXPIRED
    assert file.getvalue() == b""
