"""How the Seedance adapter looks for a task that may have been made."""

import time

import pytest

from creative_hub.providers.base import ErrorClass, ProviderError, Upstream, UpstreamState
from creative_hub.providers.seedance import SeedanceAdapter
from tests.providers.fakes.ark import FakeArk
from tests.providers.orders import error_of
from tests.providers.seedance_orders import Make, clip_order, job

QUEUED, RUNNING, SUCCEEDED = UpstreamState.QUEUED, UpstreamState.RUNNING, UpstreamState.SUCCEEDED
DAY_S = 24 * 3600


def not_found_out(adapter: SeedanceAdapter, *, sent_at: float) -> ProviderError:
    return error_of(adapter.find, clip_order(), sent_at=sent_at)


def test_a_task_is_found_by_our_identifier_among_others(ark: FakeArk, seedance: Make) -> None:
    sent_at = time.time()
    ark.put_task(identifier="job-2", state="running")
    mine = ark.put_task(identifier="job-1", state="running")
    ark.put_task(identifier="job-3", state="succeeded")
    found = seedance().find(clip_order(), sent_at=sent_at)
    assert found == Upstream(state=RUNNING, upstream_id=mine.id)
    assert (len(ark.calls_of("GET")), len(ark.calls)) == (1, 1)


def test_a_lost_create_is_found_and_not_repeated(ark: FakeArk, seedance: Make) -> None:
    ark.cause("drop_after", where="create")
    adapter = seedance()
    sent_at = time.time()
    with pytest.raises(ProviderError) as caught:
        adapter.submit(clip_order())
    assert caught.value.error_class is ErrorClass.AMBIGUOUS
    found = adapter.find(clip_order(), sent_at=sent_at)
    assert found is not None
    assert (found.state, found.upstream_id) == (SUCCEEDED, ark.creates[0].task_id)
    assert ark.made_tasks_per_identifier() == {"job-1": 1}


@pytest.mark.parametrize("kind", ["error", "drop_before"])
def test_a_create_that_was_never_made_is_certainly_not_there(
    ark: FakeArk, seedance: Make, kind: str
) -> None:
    ark.cause(kind, where="create", status=500)
    adapter = seedance()
    with pytest.raises(ProviderError):
        adapter.submit(clip_order())
    ark.put_task(identifier="job-2")
    assert adapter.find(clip_order(), sent_at=time.time()) is None
    assert len(ark.calls_of("GET")) == 1


def test_an_empty_list_is_looked_at_without_the_model_too(ark: FakeArk, seedance: Make) -> None:
    assert seedance().find(clip_order(), sent_at=time.time()) is None
    assert [("filter.model" in call.query) for call in ark.calls] == [True, False]
    ark.filters_by_model = False
    mine = ark.put_task(identifier="job-1", state="queued")
    found = seedance().find(clip_order(), sent_at=time.time())
    assert found == Upstream(state=QUEUED, upstream_id=mine.id)


def test_our_clocks_may_differ_by_two_minutes(ark: FakeArk, seedance: Make) -> None:
    now = time.time()
    mine = ark.put_task(identifier="job-1", state="running", created_at=now - 110)
    found = seedance().find(clip_order(), sent_at=now)
    assert found is not None
    assert found.upstream_id == mine.id
    assert seedance().find(clip_order(), sent_at=now + 60) is None


@pytest.mark.parametrize("state", ["failed", "expired", "cancelled"])
def test_one_that_has_failed_is_found_and_its_failure_is_for_the_poll(
    ark: FakeArk, seedance: Make, state: str
) -> None:
    mine = ark.put_task(identifier="job-1", state=state)
    found = seedance().find(clip_order(), sent_at=time.time())
    assert found == Upstream(state=RUNNING, upstream_id=mine.id)
    assert isinstance(seedance().poll([job(mine.id)])[mine.id], ProviderError)


def test_of_two_that_are_ours_the_one_that_lives_counts(ark: FakeArk, seedance: Make) -> None:
    lives = ark.put_task(identifier="job-1", state="running")
    ark.put_task(identifier="job-1", state="failed")
    found = seedance().find(clip_order(), sent_at=time.time())
    assert found == Upstream(state=RUNNING, upstream_id=lives.id)


def test_where_lists_keep_the_identifier_back_candidates_are_asked_for_singly(
    ark: FakeArk, seedance: Make
) -> None:
    ark.echoes_identifier_in_lists = False
    now = time.time()
    ark.put_task(identifier="job-0", created_at=now - 600)
    mine = ark.put_task(identifier="job-1", state="running", created_at=now)
    others = [ark.put_task(identifier=f"job-{i}", created_at=now - 60) for i in range(2, 6)]
    found = seedance().find(clip_order(), sent_at=now)
    assert found == Upstream(state=RUNNING, upstream_id=mine.id)
    assert len(ark.calls_of("GET", "/*")) == 1  # the nearest in time first
    ark.calls.clear()
    assert seedance().find(clip_order(external_id="job-77"), sent_at=now) is None
    asked = {call.path.removeprefix("/") for call in ark.calls_of("GET", "/*")}
    assert asked == {mine.id, *(task.id for task in others)}


def test_candidates_without_any_identifier_leave_us_in_doubt(ark: FakeArk, seedance: Make) -> None:
    now = time.time()
    ark.put_task(identifier="", created_at=now)
    error = not_found_out(seedance(), sent_at=now)
    assert (error.error_class, error.code) == (ErrorClass.AMBIGUOUS, "not_told")
    assert len(ark.calls_of("GET", "/*")) == 1
    # One that is older than the send is nobody's business.
    assert seedance().find(clip_order(), sent_at=now + 300) is None


def test_where_nothing_echoes_the_identifier_we_stay_in_doubt(ark: FakeArk, seedance: Make) -> None:
    ark.echoes_identifier = ark.echoes_identifier_in_lists = False
    ark.put_task(identifier="job-1")
    error = not_found_out(seedance(), sent_at=time.time())
    assert error.error_class is ErrorClass.AMBIGUOUS


def test_where_only_finished_tasks_echo_it_the_doubt_ends_with_the_task(
    ark: FakeArk, seedance: Make
) -> None:
    ark.echoes_identifier_while_running = False
    ark.render_s = 1000.0
    mine = ark.put_task(identifier="job-1")
    sent_at = time.time()
    assert not_found_out(seedance(), sent_at=sent_at).error_class is ErrorClass.AMBIGUOUS
    ark.render_s = 0.0
    found = seedance().find(clip_order(), sent_at=sent_at)
    assert found is not None
    assert (found.state, found.upstream_id) == (SUCCEEDED, mine.id)


def test_twenty_candidates_are_asked_for_and_one_more_leaves_a_doubt(
    ark: FakeArk, seedance: Make
) -> None:
    ark.echoes_identifier_in_lists = False
    now = time.time()
    for number in range(2, 22):
        ark.put_task(identifier=f"job-{number}", created_at=now)
    assert seedance().find(clip_order(), sent_at=now) is None
    assert len(ark.calls_of("GET", "/*")) == 20
    ark.calls.clear()
    ark.put_task(identifier="job-22", created_at=now)
    assert not_found_out(seedance(), sent_at=now).error_class is ErrorClass.AMBIGUOUS
    assert len(ark.calls_of("GET", "/*")) == 20


def test_the_list_is_paged_back_to_the_send_and_no_further(ark: FakeArk, seedance: Make) -> None:
    now = time.time()
    ark.put_task(identifier="job-1", created_at=now - 900)
    for number in range(600):
        ark.put_task(identifier=f"other-{number}", created_at=now - 300)
    for number in range(600):
        ark.put_task(identifier=f"late-{number}", created_at=now)
    assert seedance().find(clip_order(), sent_at=now) is None
    assert len(ark.calls_of("GET")) == 2
    ark.calls.clear()
    assert seedance().find(clip_order(), sent_at=now - 900) is not None
    assert len(ark.calls_of("GET")) == 3


def test_four_pages_are_looked_at_and_more_leave_a_doubt(ark: FakeArk, seedance: Make) -> None:
    now = time.time()
    mine = ark.put_task(identifier="job-1", state="running", created_at=now)
    for number in range(1999):
        ark.put_task(identifier=f"other-{number}", created_at=now)
    found = seedance().find(clip_order(), sent_at=now)
    assert found == Upstream(state=RUNNING, upstream_id=mine.id)
    assert len(ark.calls_of("GET")) == 4
    ark.put_task(identifier="one-too-many", created_at=now)
    assert not_found_out(seedance(), sent_at=now).error_class is ErrorClass.AMBIGUOUS
    assert len(ark.calls_of("GET")) == 8


def test_a_send_of_last_week_cannot_be_looked_up(ark: FakeArk, seedance: Make) -> None:
    error = not_found_out(seedance(), sent_at=time.time() - 8 * DAY_S)
    assert error.error_class is ErrorClass.AMBIGUOUS
    assert ark.calls == []
