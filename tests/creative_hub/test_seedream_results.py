"""What becomes of a generation when Seedream, or the file it made, is not as it should be."""

import io

import pytest
from PIL import Image

from creative_hub import wording
from creative_hub.models import Generation, ProviderJob
from creative_hub.providers.base import ErrorClass, ProviderError
from creative_hub.services import reconciliation, storing
from tests.creative_hub.engine import Clock, job_of, run_to_the_end, turn
from tests.creative_hub.factories import submit
from tests.factories import NOW, balance_of, make_member
from tests.lib.fetch.fault_server import serve
from tests.providers.fakes.ark import FakeArk

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def running_ark():
    with FakeArk.running() as fake:
        yield fake


@pytest.fixture
def ark(running_ark, settings):
    running_ark.reset()
    settings.ARK_API_BASE = running_ark.base_url
    settings.ARK_API_KEY = running_ark.api_key
    settings.SANDBOX = False
    settings.FETCH_ALLOWED_ORIGINS = [running_ark.origin]
    return running_ark


@pytest.fixture
def buyer(db):
    return make_member(credits=1000)


@pytest.fixture
def clock():
    return Clock()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("result_text", "bad_result"),
        ("result_bomb", "bad_result"),
        ("result_huge", "bad_result"),
        ("result_redirect", "bad_result"),
        ("result_expired", "result_expired"),
        ("result_missing", "result_expired"),
        ("result_cut_off", "not_stored"),
    ],
)
def test_a_result_that_is_no_picture_is_a_failure_and_costs_nothing(ark, buyer, clock, fault, code):
    ark.cause(fault)
    generation = submit(buyer)
    run_to_the_end(generation, clock, turns=40, step_s=1801)
    assert (generation.status, generation.error_code) == ("failed", code)
    assert generation.error_message == wording.FAILURES[code]
    assert balance_of(buyer) == (1000, 0)
    assert reconciliation.findings() == []


def test_a_result_cut_off_once_is_fetched_again(ark, buyer, clock):
    ark.cause("result_cut_off")
    generation = submit(buyer)
    turn(clock)
    clock.advance(1)
    turn(clock)
    assert (job_of(generation).state, job_of(generation).waits) == ("fetching", 1)
    ark.heal_results()
    run_to_the_end(generation, clock)
    assert (generation.status, generation.credits_charged) == ("completed", 33)
    assert len(ark.made) == 1


@pytest.mark.parametrize(
    ("status", "code", "error_class"),
    [
        (400, "InputTextSensitiveContentDetected", "content_refused"),
        (400, "InvalidParameter", "bad_request"),
        (401, "AuthenticationError", "auth"),
        (403, "AccountOverdueError", "provider_credit"),
        (404, "ModelNotOpen", "model_gone"),
    ],
)
def test_a_refusal_reaches_the_buyer_as_a_sentence_and_the_admin_as_the_providers_code(
    ark, buyer, clock, status, code, error_class
):
    ark.cause("error", status=status, code=code)
    generation = submit(buyer)
    run_to_the_end(generation, clock)
    assert generation.error_code == error_class
    assert generation.error_message == wording.FAILURES[error_class]
    assert job_of(generation).raw_code == code
    assert ark.made == []
    assert balance_of(buyer) == (1000, 0)


def test_a_429_waits_as_long_as_the_provider_says_and_then_delivers(ark, buyer, clock):
    ark.cause(
        "error",
        status=429,
        code="RateLimitExceeded.EndpointRPMExceeded",
        headers={"Retry-After": "7"},
    )
    generation = submit(buyer)
    turn(clock)
    job = job_of(generation)
    assert (job.state, job.waits) == ("waiting", 1)
    assert 7 <= (job.next_action_at - clock()).total_seconds() <= 8.75
    run_to_the_end(generation, clock)
    assert (generation.status, generation.credits_charged) == ("completed", 33)


def test_an_answer_that_never_comes_is_asked_for_once_more_and_then_given_up(ark, buyer, clock):
    ark.cause("drop_after", times=5)
    generation = submit(buyer)
    run_to_the_end(generation, clock)
    assert (generation.status, generation.error_code) == ("failed", "ambiguous")
    assert len(ark.made) == 2
    assert balance_of(buyer) == (1000, 0)


def test_a_dropped_answer_followed_by_a_good_one_is_charged_once(ark, buyer, clock):
    ark.cause("drop_after")
    generation = submit(buyer)
    run_to_the_end(generation, clock)
    assert (generation.status, generation.credits_charged) == ("completed", 33)
    assert balance_of(buyer) == (967, 0)


def test_the_results_link_is_forgotten_once_the_file_is_ours(ark, buyer, clock):
    generation = submit(buyer)
    run_to_the_end(generation, clock)
    assert list(ProviderJob.objects.values_list("result_url", flat=True)) == [""]


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (4000, 1), (1, 4000), (1080, 1920), (500, 500), (4600, 4600)]
)
def test_a_picture_of_another_size_than_ordered_is_refused_and_costs_nothing(
    buyer, clock, settings, width, height
):
    job = _fetching(buyer, settings, size=(width, height))
    assert (job.state, job.error_code) == ("failed", "bad_result")
    assert balance_of(buyer) == (1000, 0)


def _fetching(buyer, settings, *, size):
    """A job whose result is a picture of this size, fetched from a server of its own."""
    content = io.BytesIO()
    Image.new("L", size).save(content, "PNG")
    with serve() as server:
        url = server.says("/x.png", _answer(content.getvalue()))
        settings.FETCH_ALLOWED_ORIGINS = [server.origin]
        generation = submit(buyer)
        generation.jobs.update(state="fetching", result_url=url)
        Generation.objects.filter(pk=generation.pk).update(status="processing", started_at=NOW)
        storing.store_next(clock=Clock())
    return generation.jobs.get()


def _answer(content):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content


@pytest.mark.parametrize("code", ["a\0b", "\ud800", "echo of a prompt", "x" * 200])
def test_a_provider_error_can_always_be_written_down(code):
    error = ProviderError(ErrorClass.BAD_REQUEST, "m\0essage\ud800", code=code, request_id="r\0")
    assert error.code == "unreadable"
    assert (error.message, error.request_id) == ("message", "r")
