"""Start frames that are addresses: fetched one of a member at a time, outside the line."""

import pytest

from creative_hub import cards, line
from creative_hub.models import ProviderJob
from creative_hub.selectors import visible_to
from creative_hub.services import claims, preparing, submission
from tests.creative_hub.engine import Clock, job_of, lane_of, send
from tests.creative_hub.factories import submit_clip
from tests.factories import NOW, balance_of, make_member

pytestmark = pytest.mark.django_db

SOMEWHERE = "https://pictures.example/bottle.jpg"


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


def take(slots=4, now=NOW):
    return claims.claim_preparing(slots=slots, lease_s=60, now=now)


def test_a_clip_whose_picture_is_not_here_yet_holds_no_place_and_stands_in_no_line(buyer):
    bare = submit_clip(buyer, start_frame_url=SOMEWHERE)
    plain = submit_clip(buyer)
    assert take() == job_of(bare)
    assert line.upstream(lane_of(bare)) == 0
    assert line.places(lane_of(bare), generation_ids=[bare.pk, plain.pk], now=NOW) == {plain.pk: 1}
    assert send(plain) is True
    assert (job_of(bare).state, job_of(plain).state) == ("waiting", "fetching")


def test_a_member_has_one_picture_fetched_at_a_time_and_others_are_not_held_up(buyer):
    mine = [submit_clip(buyer, start_frame_url=SOMEWHERE) for _ in range(2)]
    other = submit_clip(make_member(credits=25_000), start_frame_url=SOMEWHERE)
    assert [take(), take(), take()] == [job_of(mine[0]), job_of(other), None]


def test_only_so_many_pictures_are_fetched_at_once(buyer):
    for _ in range(2):
        submit_clip(make_member(credits=25_000), start_frame_url=SOMEWHERE)
    assert take(slots=1) is not None
    assert take(slots=1) is None


def test_a_clip_can_be_cancelled_while_its_picture_is_fetched(buyer):
    bare = submit_clip(buyer, start_frame_url=SOMEWHERE)
    job = take()
    [card] = cards.cards(generations=[bare], member=buyer, now=NOW)
    assert (card.note, card.may_cancel) == ("Fetching the start frame.", True)
    submission.cancel(generation_id=bare.pk, visible=visible_to(buyer), now=NOW)
    assert balance_of(buyer) == (25_000, 0)
    assert claims.advance(job, state="waiting", next_action_at=NOW) is False


def test_a_picture_that_ends_whoever_looks_at_it_ends_the_clip_after_three(buyer):
    clock = Clock()
    bare = submit_clip(buyer, start_frame_url=SOMEWHERE)
    for _ in range(3):
        assert take(now=clock()) is not None
        clock.advance(61)
    assert preparing.prepare_next(clock=clock) is True
    bare.refresh_from_db()
    assert (bare.status, bare.error_code) == ("failed", "frame_unusable")
    assert balance_of(buyer) == (25_000, 0)
    assert ProviderJob.objects.get().sent_at is None
