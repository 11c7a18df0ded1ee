"""Seedream over real HTTP through real workers, killed where it hurts most."""

from functools import partial

import pytest

from assets import selectors as asset_selectors
from creative_hub.models import Generation, ProviderJob
from credits.models import Entry
from tests.factories import balance_of, make_member
from tests.flows.processes import let_leases_run_out, running_stack, wait_until
from tests.flows.steps import ended, states, submit_now
from tests.providers.fakes.ark import FakeArk


@pytest.fixture
def ark(settings):
    with FakeArk.running() as fake:
        settings.ARK_API_BASE = fake.base_url
        settings.ARK_API_KEY = fake.api_key
        settings.SANDBOX = False
        settings.FETCH_ALLOWED_ORIGINS = [fake.origin]
        yield fake


def _has_made(ark, count):
    return len(ark.made) == count


def stack_with(ark):
    return running_stack(
        SANDBOX="0",
        ARK_API_BASE=ark.base_url,
        ARK_API_KEY=ark.api_key,
        FETCH_ALLOWED_ORIGINS=ark.origin,
    )


def test_the_result_is_brought_to_the_ordered_size_and_made_once_per_variant(flow, ark):
    buyer = make_member(credits=1000)
    generation = submit_now(buyer, num_variants=2, aspect_ratio="4:5", resolution="720p")
    with stack_with(ark):
        wait_until(ended(generation), what="the generation ends")
    generation.refresh_from_db()
    assert (generation.status, generation.is_sandbox) == ("completed", False)
    assets = asset_selectors.by_ids(ProviderJob.objects.values_list("asset_id", flat=True))
    assert [(one.width, one.height) for one in assets.values()] == [(720, 900)] * 2
    assert [request.body["watermark"] for request in ark.made] == [False, False]
    assert set(ark.made_per_client_id().values()) == {1}
    assert balance_of(buyer) == (934, 0)


def test_a_worker_killed_after_the_provider_made_the_picture_is_followed_by_one_repeat(flow, ark):
    buyer = make_member(credits=1000)
    ark.cause("hang_after", seconds=60)
    generation = submit_now(buyer)
    with stack_with(ark) as stack:
        wait_until(lambda: len(ark.made) == 1, what="the picture is made")
        assert states(generation) == ["submitting"]
        stack.kill_worker()
        let_leases_run_out()
        stack.start_worker()
        wait_until(ended(generation), what="the generation ends")
    generation.refresh_from_db()
    assert (generation.status, generation.credits_charged) == ("completed", 33)
    assert len(ark.made) == 2
    assert Entry.objects.filter(kind="charge").count() == 1
    assert balance_of(buyer) == (967, 0)


def test_a_worker_killed_twice_while_submitting_ends_in_a_release(flow, ark):
    buyer = make_member(credits=1000)
    ark.cause("hang_after", seconds=60, times=2)
    generation = submit_now(buyer)
    with stack_with(ark) as stack:
        for made in (1, 2):
            wait_until(partial(_has_made, ark, made), what=f"picture {made} is made")
            stack.kill_worker()
            let_leases_run_out()
            stack.start_worker()
        wait_until(ended(generation), what="the generation ends")
    generation.refresh_from_db()
    assert (generation.status, generation.error_code) == ("failed", "ambiguous")
    assert len(ark.made) == 2
    assert balance_of(buyer) == (1000, 0)


def test_a_worker_killed_while_storing_fetches_again_and_orders_nothing_more(flow, ark):
    buyer = make_member(credits=1000)
    ark.cause("result_hang", seconds=60)
    generation = submit_now(buyer)
    with stack_with(ark) as stack:
        wait_until(
            lambda: ProviderJob.objects.filter(
                state="fetching", lease_until__isnull=False
            ).exists(),
            what="the result is being fetched",
        )
        stack.kill_worker()
        ark.heal_results()
        let_leases_run_out()
        stack.start_worker()
        wait_until(ended(generation), what="the generation ends")
    generation.refresh_from_db()
    assert (generation.status, generation.credits_charged) == ("completed", 33)
    assert len(ark.made) == 1
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (967, 0)
