"""How the Kling adapter asks about many tasks at once, and what it makes of the answers."""

from typing import Any

import pytest

from creative_hub.providers.base import ErrorClass, ProviderError, Upstream, UpstreamState
from tests.providers.fakes.kling import FakeKling
from tests.providers.kling_orders import (
    Make,
    image_jobs,
    image_order,
    only_answer,
    order,
    ordered,
    text_jobs,
)
from tests.providers.orders import error_of

TEXT, IMAGE = "/v1/videos/text2video", "/v1/videos/image2video"


def asked(kling: FakeKling) -> list[tuple[str, str]]:
    """The paths that were asked for, and the page of each list."""
    return [(one.path, one.query.get("pageNum", "")) for one in kling.asked("GET")]


# --- how much is asked ---


@pytest.mark.parametrize("count", [1, 150])
def test_many_jobs_of_both_kinds_take_one_request_each_kind(
    kling: FakeKling, adapter: Make, count: int
) -> None:
    jobs = [
        job
        for pair in zip(text_jobs(kling, count), image_jobs(kling, count), strict=True)
        for job in pair
    ]
    answers = adapter().poll(jobs)
    assert set(answers) == {job.upstream_id for job in jobs}
    assert all(
        isinstance(answer, Upstream) and answer.state is UpstreamState.SUCCEEDED
        for answer in answers.values()
    )
    assert asked(kling) == [(TEXT, "1"), (IMAGE, "1")]
    assert kling.requests[0].query == {"pageNum": "1", "pageSize": "500"}


def test_only_the_kinds_that_occur_are_asked_for(kling: FakeKling, adapter: Make) -> None:
    image_jobs(kling, 1)
    jobs = text_jobs(kling, 2)
    assert len(adapter().poll(jobs)) == 2
    assert asked(kling) == [(TEXT, "1")]
    assert adapter().poll([]) == {}
    assert len(kling.requests) == 1


def test_a_full_page_is_followed_by_the_next_only_while_a_job_is_missing(
    kling: FakeKling, adapter: Make
) -> None:
    [old] = text_jobs(kling, 1)
    newer = text_jobs(kling, 500)
    assert len(adapter().poll(newer)) == 500
    assert asked(kling) == [(TEXT, "1")]
    kling.requests.clear()
    assert list(adapter().poll([old])) == [old.upstream_id]
    assert asked(kling) == [(TEXT, "1"), (TEXT, "2")]


def test_a_job_behind_four_pages_is_asked_for_by_itself(kling: FakeKling, adapter: Make) -> None:
    [old] = text_jobs(kling, 1)
    text_jobs(kling, 2000)
    answer = only_answer(adapter(), old)
    assert isinstance(answer, Upstream)
    assert answer.state is UpstreamState.SUCCEEDED
    pages = [(TEXT, str(page)) for page in (1, 2, 3, 4)]
    assert asked(kling) == [*pages, (f"{TEXT}/{old.upstream_id}", "")]


@pytest.mark.parametrize("not_found_code", [1201, 1203])
def test_jobs_that_kling_does_not_have_are_gone_five_at_a_time(
    kling: FakeKling, adapter: Make, not_found_code: int
) -> None:
    lost = text_jobs(kling, 7)
    kling.reset()
    kling.not_found_code = not_found_code
    [there] = text_jobs(kling, 1)
    answers = adapter().poll([*lost, there])
    assert isinstance(answers[there.upstream_id], Upstream)
    gone = {job.upstream_id for job in lost} & set(answers)
    assert (len(gone), len(answers), len(kling.requests)) == (5, 6, 6)
    for name in gone:
        answer = answers[name]
        assert isinstance(answer, ProviderError)
        assert answer.error_class is ErrorClass.RESULT_EXPIRED


# --- what the answers mean ---


def test_a_job_is_queued_then_runs_then_has_its_link(kling: FakeKling, adapter: Make) -> None:
    client = adapter()
    job = ordered(client, image_order())
    states = []
    for queue_s, render_s in ((3600.0, 0.0), (0.0, 3600.0), (0.0, 0.0)):
        kling.queue_s, kling.render_s = queue_s, render_s
        answer = only_answer(client, job)
        assert isinstance(answer, Upstream)
        assert answer.upstream_id == job.upstream_id
        states.append((answer.state, answer.result_url.split("=")[0]))
    assert states == [
        (UpstreamState.QUEUED, ""),
        (UpstreamState.RUNNING, ""),
        (UpstreamState.SUCCEEDED, f"{kling.origin}/files/{job.upstream_id}.mp4?sig"),
    ]


@pytest.mark.parametrize(
    ("marker", "expected", "message"),
    [
        ("fail_risk", ErrorClass.CONTENT_REFUSED, "Failure to pass the risk control system"),
        ("fail_pixel", ErrorClass.BAD_IMAGE, "Image pixel is invalid"),
        ("fail_other", ErrorClass.BAD_RESULT, "Generation failed, please try again"),
        ("no_url", ErrorClass.BAD_RESULT, "no usable link"),
        ("bad_url", ErrorClass.BAD_RESULT, "no usable link"),
    ],
)
def test_a_task_that_ended_badly_is_final(
    adapter: Make, marker: str, expected: ErrorClass, message: str
) -> None:
    client = adapter()
    answer = only_answer(client, ordered(client, order(prompt=f"A kite [kling:{marker}]")))
    assert isinstance(answer, ProviderError)
    assert (answer.error_class, answer.message) == (expected, message)
    assert not answer.is_retryable


def test_one_failed_job_says_nothing_of_the_others(adapter: Make) -> None:
    client = adapter()
    jobs = [
        ordered(client, order(external_id="job-1", prompt="A [kling:fail_risk]")),
        ordered(client, order(external_id="job-2")),
    ]
    answers = client.poll(jobs)
    assert isinstance(answers[jobs[0].upstream_id], ProviderError)
    assert isinstance(answers[jobs[1].upstream_id], Upstream)


ODD_TASKS: list[dict[str, Any]] = [
    {"task_status": "succeed"},
    {"task_status": "succeed", "task_result": []},
    {"task_status": "succeed", "task_result": {"videos": {}}},
    {"task_status": "succeed", "task_result": {"videos": [7]}},
    {"task_status": "succeed", "task_result": {"videos": [{"url": ["https://x/a.mp4"]}]}},
    {"task_status": "succeed", "task_result": {"videos": [{"url": "ftp://x/a.mp4"}]}},
    {"task_status": "succeed", "task_result": {"videos": [{"url": "https://x/\n"}]}},
    {"task_status": "failed", "task_status_msg": None},
    {"task_status": "failed", "task_status_msg": {"risk control": 1}},
]


@pytest.mark.parametrize("task", ODD_TASKS)
def test_an_ended_task_with_odd_fields_is_a_bad_result(
    kling: FakeKling, adapter: Make, task: dict[str, Any]
) -> None:
    [job] = text_jobs(kling, 1)
    kling.cause("odd", where="list", data=[{"task_id": job.upstream_id, **task}])
    answer = only_answer(adapter(), job)
    assert isinstance(answer, ProviderError)
    assert answer.error_class is ErrorClass.BAD_RESULT


@pytest.mark.parametrize("status", ["paused", "", None, 7, ["succeed"]])
def test_a_status_that_we_do_not_know_is_asked_about_again(
    kling: FakeKling, adapter: Make, status: Any
) -> None:
    [job] = text_jobs(kling, 1)
    told = {"task_id": job.upstream_id, "task_status": status}
    kling.cause("odd", where="list", data=[told])
    assert adapter().poll([job]) == {}
    assert len(kling.requests) == 1


@pytest.mark.parametrize("entry", [None, 7, "x", [], {}, {"task_id": 7}, {"task_id": "../x"}])
def test_odd_entries_of_a_list_are_passed_over(kling: FakeKling, adapter: Make, entry: Any) -> None:
    [job] = text_jobs(kling, 1)
    told = {"task_id": job.upstream_id, "task_status": "processing"}
    kling.cause("odd", where="list", data=[entry, told])
    answer = only_answer(adapter(), job)
    assert isinstance(answer, Upstream)
    assert answer.state is UpstreamState.RUNNING


# --- when the question fails ---


def test_one_kind_is_answered_though_the_other_cannot_be(kling: FakeKling, adapter: Make) -> None:
    texts, images = text_jobs(kling, 2), image_jobs(kling, 2)
    kling.cause("error", where="list", code=5000)
    assert set(adapter().poll([*texts, *images])) == {job.upstream_id for job in images}
    assert asked(kling) == [(TEXT, "1"), (IMAGE, "1")]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "error", "code": 5000}, ErrorClass.TRANSIENT),
        ({"kind": "error", "code": 5002}, ErrorClass.TRANSIENT),
        ({"kind": "error", "code": 1302}, ErrorClass.RATE_LIMITED),
        ({"kind": "error", "code": 1000}, ErrorClass.AUTH),
        ({"kind": "error", "code": 1102}, ErrorClass.PROVIDER_CREDIT),
        ({"kind": "html"}, ErrorClass.TRANSIENT),
        ({"kind": "html", "status": 404}, ErrorClass.TRANSIENT),
        ({"kind": "garbage"}, ErrorClass.TRANSIENT),
        ({"kind": "empty"}, ErrorClass.TRANSIENT),
        ({"kind": "truncated"}, ErrorClass.TRANSIENT),
        ({"kind": "huge"}, ErrorClass.TRANSIENT),
        ({"kind": "drop_after"}, ErrorClass.TRANSIENT),
        ({"kind": "redirect"}, ErrorClass.TRANSIENT),
        ({"kind": "odd", "data": None}, ErrorClass.TRANSIENT),
        ({"kind": "odd", "data": {"task_id": "1"}}, ErrorClass.TRANSIENT),
    ],
)
def test_a_question_that_failed_as_a_whole_says_nothing_of_any_job(
    kling: FakeKling, adapter: Make, fault: dict[str, Any], expected: ErrorClass
) -> None:
    jobs = text_jobs(kling, 3)
    kling.cause(where="list", **fault)
    assert error_of(lambda: adapter().poll(jobs)).error_class is expected
    assert len(kling.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "code": 5000},
        {"kind": "error", "code": 1000},
        {"kind": "html", "status": 404},
        {"kind": "truncated"},
        {"kind": "odd", "data": []},
        {"kind": "odd", "data": {"task_id": 7, "task_status": "failed"}},
    ],
)
def test_a_job_whose_own_question_failed_is_left_out(
    kling: FakeKling, adapter: Make, fault: dict[str, Any]
) -> None:
    lost = text_jobs(kling, 1)
    kling.reset()
    there = text_jobs(kling, 1)
    kling.cause(where="query", **fault)
    assert list(adapter().poll([*lost, *there])) == [there[0].upstream_id]
    assert len(kling.requests) == 2


def test_a_stale_token_is_renewed_in_a_poll_too(kling: FakeKling, adapter: Make) -> None:
    jobs = text_jobs(kling, 3)
    kling.cause("error", where="list", code=1004)
    assert len(adapter().poll(jobs)) == 3
    assert [request.status for request in kling.requests] == [401, 200]


def test_a_failed_task_repeats_no_prompt_and_no_link(kling: FakeKling, adapter: Make) -> None:
    client = adapter()
    job = ordered(client, order(prompt="Our secret summer launch: a turquoise kite"))
    token = kling.requests[0].headers["Authorization"].removeprefix("Bearer ")
    message = (
        f"Cannot make 'Our secret summer launch' for {kling.access_key} (Bearer {token}) "
        "from https://cdn.example/a.jpg?sig=s3cret"
    )
    failed = {"task_id": job.upstream_id, "task_status": "failed", "task_status_msg": message}
    kling.cause("odd", where="list", data=[failed])
    answer = only_answer(client, job)
    assert isinstance(answer, ProviderError)
    assert answer.message == (
        "Cannot make '[prompt]' for [key] (Bearer [key] from https://cdn.example/a.jpg?[cut]"
    )
