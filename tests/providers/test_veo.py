"""The Veo adapter against a stand-in that speaks Vertex AI's protocol over real HTTP."""

import base64
import io
from typing import Any

import av
import pytest

from creative_hub.providers.base import (
    ErrorClass,
    Poll,
    Recovery,
    Upstream,
    UpstreamState,
)
from tests.providers.fakes.vertex import FakeVertex
from tests.providers.fakes.vertex_rules import BUCKET, PROJECT
from tests.providers.orders import collected, error_of
from tests.providers.veo_orders import IN_BUCKET, Make, jpeg, only, order, started

MODELS = f"/v1/projects/{PROJECT}/locations/us-central1/publishers/google/models"
START = f"{MODELS}/veo-3.1-generate-001:predictLongRunning"
FETCH = f"{MODELS}/veo-3.1-generate-001:fetchPredictOperation"


# --- starting ---


def test_an_order_becomes_one_documented_call(vertex: FakeVertex, veo: Make) -> None:
    done = veo().submit(order(duration_s=6, aspect_ratio="9:16"))
    [request] = vertex.requests
    assert (request.method, request.path) == ("POST", START)
    assert request.body == {
        "instances": [{"prompt": "A red kite over a grey sea"}],
        "parameters": {
            "aspectRatio": "9:16",
            "durationSeconds": 6,
            "resolution": "720p",
            "sampleCount": 1,
        },
    }
    [operation] = vertex.made
    assert done == Upstream(state=UpstreamState.QUEUED, upstream_id=operation.name)


def test_a_start_picture_goes_along_and_the_bucket_is_named(vertex: FakeVertex, veo: Make) -> None:
    frame = jpeg()
    veo(**IN_BUCKET).submit(order(external_id="job-9", has_frame=True, frame=frame))
    [request] = vertex.requests
    encoded = base64.b64encode(frame).decode()
    assert request.body == {
        "instances": [
            {
                "prompt": "A red kite over a grey sea",
                "image": {"bytesBase64Encoded": encoded, "mimeType": "image/jpeg"},
            }
        ],
        "parameters": {
            "aspectRatio": "16:9",
            "durationSeconds": 4,
            "resolution": "720p",
            "sampleCount": 1,
            "personGeneration": "allow_adult",
            "storageUri": f"gs://{BUCKET}/clips/job-9/",
        },
    }
    assert vertex.made_per_storage_prefix() == {f"gs://{BUCKET}/clips/job-9/": 1}


@pytest.mark.parametrize(
    ("storage_uri", "sent"),
    [
        (f"gs://{BUCKET}", f"gs://{BUCKET}/job-1/"),
        (f"gs://{BUCKET}/", f"gs://{BUCKET}/job-1/"),
        (f"gs://{BUCKET}/a/b/", f"gs://{BUCKET}/a/b/job-1/"),
    ],
)
def test_the_bucket_may_be_written_with_or_without_a_prefix(
    vertex: FakeVertex, veo: Make, storage_uri: str, sent: str
) -> None:
    adapter = veo(storage_uri=storage_uri)
    job = started(adapter)
    assert vertex.requests[0].body["parameters"]["storageUri"] == sent
    assert collected(adapter, job) == vertex.made[0].clip


def test_a_bucket_that_is_none_is_refused_at_once(veo: Make) -> None:
    with pytest.raises(ValueError, match="gs://bucket/prefix"):
        veo(storage_uri="https://storage.googleapis.com/clips")


def test_a_refused_person_setting_is_dropped_once(vertex: FakeVertex, veo: Make) -> None:
    vertex.refuses_person_setting = True
    veo().submit(order(has_frame=True, frame=jpeg()))
    first, second = vertex.requests
    assert (first.status, second.status) == (400, 200)
    assert first.body["parameters"].pop("personGeneration") == "allow_adult"
    assert second.body == first.body
    assert len(vertex.made) == 1


def test_a_person_setting_refused_for_ever_ends_after_two_calls(
    vertex: FakeVertex, veo: Make
) -> None:
    vertex.cause("error", status=400, message="`personGeneration` is not allowed.", times=9)
    error = error_of(veo().submit, order(has_frame=True, frame=jpeg()))
    assert error.error_class is ErrorClass.BAD_REQUEST
    assert len(vertex.requests) == 2
    assert error_of(veo().submit, order()).error_class is ErrorClass.BAD_REQUEST
    assert len(vertex.requests) == 3


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"duration_s": None}, ErrorClass.BAD_REQUEST),
        ({"has_frame": True}, ErrorClass.BAD_IMAGE),
    ],
)
def test_an_order_that_lacks_something_is_never_sent(
    vertex: FakeVertex, veo: Make, changes: dict[str, Any], expected: ErrorClass
) -> None:
    assert error_of(veo().submit, order(**changes)).error_class is expected
    assert vertex.requests == []


@pytest.mark.parametrize(
    "kind",
    [
        "html", "garbage", "empty", "truncated", "cut_off", "no_name", "bad_name",
        "not_an_object", "drop_before", "drop_after", "redirect", "huge",
    ],
)  # fmt: skip
def test_a_start_without_a_sound_answer_is_in_doubt_and_not_repeated(
    vertex: FakeVertex, veo: Make, kind: str
) -> None:
    vertex.cause(kind, times=5)
    assert error_of(veo().submit, order()).error_class is ErrorClass.AMBIGUOUS
    assert len(vertex.requests) == 1


@pytest.mark.parametrize("kind", ["hang_before", "hang_after"])
def test_a_start_has_one_deadline(vertex: FakeVertex, veo: Make, kind: str) -> None:
    vertex.cause(kind, seconds=30)
    error = error_of(veo(connect_timeout_s=0.5, read_timeout_s=0.5).submit, order())
    assert (error.error_class, error.message) == (ErrorClass.AMBIGUOUS, "no answer: took too long")


def test_a_refused_connection_never_reached_them(veo: Make) -> None:
    error = error_of(veo(base_url="http://127.0.0.1:9").submit, order())
    assert (error.error_class, error.code) == (ErrorClass.TRANSIENT, "not_reached")


def test_a_token_that_comes_too_late_orders_nothing(vertex: FakeVertex, veo: Make) -> None:
    error = error_of(veo(token_limit_s=-1.0).submit, order())
    assert (error.error_class, error.code) == (ErrorClass.TRANSIENT, "token_late")
    assert vertex.requests == []


# --- asking ---


def test_a_job_runs_and_then_succeeds_without_a_link(vertex: FakeVertex, veo: Make) -> None:
    vertex.render_s = 3600
    adapter = veo()
    job = started(adapter)
    running = Upstream(state=UpstreamState.RUNNING, upstream_id=job.upstream_id)
    assert only(adapter, job) == running
    request = vertex.requests[-1]
    assert (request.path, request.body) == (FETCH, {"operationName": job.upstream_id})
    assert request.headers["Authorization"].startswith("Bearer ya29.")
    vertex.made[0].done_at = 0
    succeeded = Upstream(state=UpstreamState.SUCCEEDED, upstream_id=job.upstream_id)
    assert only(adapter, job) == succeeded


def test_twenty_jobs_take_one_token_and_twenty_questions(vertex: FakeVertex, veo: Make) -> None:
    tokens: list[str] = []

    def token() -> str:
        tokens.append(vertex.issue_token())
        return tokens[-1]

    adapter = veo(**IN_BUCKET, token=token)
    jobs = [started(adapter, external_id=f"job-{number}") for number in range(20)]
    vertex.requests.clear()
    tokens.clear()
    stands = adapter.poll(jobs)
    assert [request.path for request in vertex.requests] == [FETCH] * 20
    asked = {request.body["operationName"] for request in vertex.requests}
    assert asked == set(stands) == {job.upstream_id for job in jobs}
    assert {stand.state for stand in stands.values() if isinstance(stand, Upstream)} == {
        UpstreamState.SUCCEEDED
    }
    assert len(tokens) == 1


def test_asking_has_one_deadline_and_leaves_out_who_was_not_asked(
    vertex: FakeVertex, veo: Make
) -> None:
    jobs = [started(veo(**IN_BUCKET), external_id=f"job-{number}") for number in range(12)]
    vertex.requests.clear()
    vertex.cause("hang_before", where="poll", seconds=30, times=8)
    adapter = veo(connect_timeout_s=1.0, read_timeout_s=0.5)
    assert error_of(adapter.poll, jobs).error_class is ErrorClass.TRANSIENT
    assert len(vertex.requests) == 8


def test_an_answer_too_large_to_read_is_a_clip(vertex: FakeVertex, veo: Make) -> None:
    adapter = veo()
    job = started(adapter)
    vertex.cause("huge", where="poll", times=2)
    stand = only(adapter, job)
    assert isinstance(stand, Upstream)
    assert stand.state is UpstreamState.SUCCEEDED
    error = error_of(collected, adapter, job)
    assert error.error_class is ErrorClass.BAD_RESULT


@pytest.mark.parametrize("upstream_id", ["", "../../../secrets", "projects/p/operations/1"])
def test_an_id_that_is_no_operation_is_never_sent(
    vertex: FakeVertex, veo: Make, upstream_id: str
) -> None:
    job = Poll(upstream_id=upstream_id, order=order())
    assert error_of(veo().poll, [job]).error_class is ErrorClass.BAD_REQUEST
    assert vertex.requests == []


# --- the clip ---


@pytest.mark.parametrize("where", [{}, IN_BUCKET])
def test_the_clip_is_what_was_ordered(vertex: FakeVertex, veo: Make, where: dict[str, str]) -> None:
    adapter = veo(**where)
    job = started(adapter, aspect_ratio="9:16", duration_s=8)
    content = collected(adapter, job)
    assert content == vertex.made[0].clip
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (720, 1280)
        assert container.duration == 8 * av.time_base


def test_a_clip_from_the_bucket_takes_one_look_and_one_download(
    vertex: FakeVertex, veo: Make
) -> None:
    adapter = veo(**IN_BUCKET)
    job = started(adapter, external_id="job-7")
    # Its name begins like the other's: only whole folders are looked into.
    started(adapter, external_id="job-77", prompt="Another")
    vertex.requests.clear()
    collected(adapter, job)
    look, download = vertex.requests
    objects = f"/storage/v1/b/{BUCKET}/o"
    assert (look.path, look.query) == (objects, "prefix=clips%2Fjob-7%2F")
    name = vertex.made[0].object_name.replace("/", "%2F")
    assert (download.path, download.query) == (f"{objects}/{name}", "alt=media")


def test_a_job_started_before_there_was_a_bucket_is_still_collected(
    vertex: FakeVertex, veo: Make
) -> None:
    job = started(veo())
    assert collected(veo(**IN_BUCKET), job) == vertex.made[0].clip


def test_a_job_is_asked_about_under_the_model_it_was_started_with(
    vertex: FakeVertex, veo: Make
) -> None:
    job = started(veo())
    stand = only(veo(model="veo-3.1-fast-generate-001"), job)
    assert isinstance(stand, Upstream)


def test_nothing_outside_the_own_prefix_is_taken(vertex: FakeVertex, veo: Make) -> None:
    adapter = veo(**IN_BUCKET)
    job = Poll(upstream_id="", order=started(adapter).order)
    vertex.requests.clear()
    vertex.cause("foreign", where="storage")
    error = error_of(collected, adapter, job)
    assert error.error_class is ErrorClass.RESULT_EXPIRED
    assert len(vertex.requests) == 1


# --- looking ---


def test_a_lost_start_is_found_in_the_bucket_and_collected_from_there(
    vertex: FakeVertex, veo: Make
) -> None:
    adapter = veo(**IN_BUCKET)
    vertex.cause("drop_after")
    ordered = order(external_id="job-5")
    assert error_of(adapter.submit, ordered).error_class is ErrorClass.AMBIGUOUS
    vertex.made[0].done_at += 3600
    error = error_of(adapter.find, ordered, sent_at=0.0)
    assert error.error_class is ErrorClass.AMBIGUOUS
    assert error.message == "nothing in the bucket yet"
    job = Poll(upstream_id="", order=ordered)
    vertex.made[0].done_at = 0
    assert adapter.find(ordered, sent_at=0.0) == Upstream(state=UpstreamState.SUCCEEDED)
    assert collected(adapter, job) == vertex.made[0].clip
    assert len(vertex.made) == 1


def test_without_a_bucket_nothing_can_be_found(vertex: FakeVertex, veo: Make) -> None:
    assert error_of(veo().find, order(), sent_at=0.0).error_class is ErrorClass.AMBIGUOUS
    assert vertex.requests == []


def test_what_the_engine_needs_to_know_is_stated(vertex: FakeVertex, veo: Make) -> None:
    adapter = veo(connect_timeout_s=10.0, read_timeout_s=60.0, token_limit_s=45.0)
    assert (adapter.recovery, adapter.can_cancel) == (Recovery.LOOK_ONLY, False)
    assert (adapter.poll_interval_s, adapter.poll_batch) == (10.0, 64)
    assert (adapter.submit_limit_s, adapter.poll_limit_s) == (245.0, 145.0)
    assert (adapter.find_settles_s, veo(**IN_BUCKET).find_settles_s) == (0.0, 600.0)
    assert adapter.cancel(Poll(upstream_id="", order=order())) is False
