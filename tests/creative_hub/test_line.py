"""Places in line: who is next, and what a page that shows a place is told."""

import re
from datetime import timedelta

import pytest

from creative_hub import cards, line, selectors
from creative_hub.line import Lane
from creative_hub.models import Generation, ProviderJob, ProviderSwitch
from creative_hub.services import switches
from tests.assets.makers import client_of
from tests.creative_hub.engine import send
from tests.creative_hub.factories import submit, submit_clip
from tests.factories import NOW, make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

VIDEOS = "/creative-hub/video-studio"
POLL = "/creative-hub/poll/"
HTMX = {"HX-Request": "true"}
KLING = Lane("kling_2_6", True)


@pytest.fixture
def buyer(db):
    return make_member(credits=50_000)


@pytest.fixture
def signed_in(buyer):
    return client_of(buyer)


def allow(slots, provider="kling_2_6"):
    ProviderSwitch.objects.filter(pk=provider).update(slots=slots)


def start(clip):
    """As a worker has it that just sent the clip."""
    Generation.objects.filter(pk=clip.pk).update(status="processing", started_at=NOW)
    clip.jobs.update(state=ProviderJob.State.RUNNING)


def fetch(clip):
    """As a worker has it that found the clip made: its place at the provider is free."""
    clip.jobs.update(state=ProviderJob.State.FETCHING)


def places(*clips):
    found = line.places(KLING, generation_ids=[one.pk for one in clips], now=NOW)
    return [found.get(clip.pk) for clip in clips]


def in_order(lane=KLING, limit=50):
    """The ids of the generations whose jobs are next."""
    ids = line.first(lane, limit=limit, now=NOW)
    jobs = ProviderJob.objects.in_bulk(ids)
    return [jobs[job_id].generation_id for job_id in ids]


def poll(client, member, known):
    seen = selectors.revision(workspace_id=member.workspace_id)
    return client.get(POLL, {"v": seen, "page": "video", "line": known}, headers=HTMX)


def known_line(page: str) -> str:
    """What the page knows of places; empty when it does not ask for them."""
    found = re.search(r'<input type="hidden" id="line" name="line" value="([^"]*)">', page)
    return found[1] if found else ""


def shown_places(page: str) -> list[str]:
    return re.findall(r"(\d+(?:st|nd|rd|th)) in line", page)


# --- Who is next ----------------------------------------------------------------------------------


def test_one_members_clips_stand_in_the_order_they_were_ordered(buyer):
    clips = [submit_clip(buyer) for _ in range(3)]
    assert places(*clips) == [1, 2, 3]
    assert in_order() == [clip.pk for clip in clips]
    assert line.first(KLING, limit=2, now=NOW) == [clip.jobs.get().pk for clip in clips[:2]]


def test_members_take_turns_so_that_fifty_do_not_hold_up_one(buyer):
    many = [submit_clip(buyer) for _ in range(10)]
    colleague = make_member(workspace_id=buyer.workspace_id)
    stranger = make_member(credits=1000)
    one, other, second = submit_clip(colleague), submit_clip(stranger), submit_clip(colleague)
    assert places(many[0], one, other, many[1], second, many[2]) == [1, 2, 3, 4, 5, 6]
    assert places(*many[2:]) == list(range(6, 14))


def test_what_a_member_has_at_the_provider_counts_as_their_turn(buyer):
    running = [submit_clip(buyer) for _ in range(2)]
    waiting = submit_clip(buyer)
    for clip in running:
        start(clip)
    stranger = make_member(credits=10_000)
    theirs = [submit_clip(stranger) for _ in range(3)]
    # Two at the provider and one in line come before the third of anybody else.
    assert places(*theirs[:2], waiting, theirs[2]) == [1, 2, 3, 4]


def test_a_job_that_waits_for_its_time_stands_in_no_line(buyer):
    later, now = submit_clip(buyer), submit_clip(buyer)
    later.jobs.update(next_action_at=NOW + timedelta(minutes=1), waits=1)
    assert places(later, now) == [None, 1]


def test_each_provider_and_the_sandbox_have_lines_of_their_own(buyer):
    kling, veo = submit_clip(buyer), submit_clip(buyer, provider="veo_3_1", duration=4)
    real = submit_clip(buyer)
    real.jobs.update(is_sandbox=False)
    submit(buyer)
    assert places(kling, veo, real) == [1, None, None]
    assert in_order(Lane("veo_3_1", True)) == [veo.pk]
    assert in_order(Lane("kling_2_6", False)) == [real.pk]


def test_a_set_of_pictures_stands_where_its_first_picture_stands(buyer):
    first, second = submit(buyer, num_variants=4), submit(buyer)
    both = [first.pk, second.pk]
    found = line.places(Lane("seedream_4_0", True), generation_ids=both, now=NOW)
    assert (found[first.pk], found[second.pk]) == (1, 5)


def test_the_next_in_line_is_the_next_that_is_sent(buyer):
    allow(3)
    slow = "A boat [sandbox:delay=60]"
    first, second = (submit_clip(buyer, prompt=slow) for _ in range(2))
    theirs = submit_clip(make_member(credits=1000), prompt=slow)
    for expected in (first, theirs, second):
        assert in_order()[0] == expected.pk
        send(expected)
        expected.refresh_from_db()
        assert expected.status == "processing"


# --- What a card says -----------------------------------------------------------------------------


def test_a_place_is_shown_only_while_all_places_are_taken(signed_in, buyer):
    allow(2)
    running, second, waiting, last = (submit_clip(buyer) for _ in range(4))
    start(running)
    page = signed_in.get(VIDEOS).content.decode()
    assert shown_places(page) == []
    assert known_line(page) == ""
    start(second)
    page = signed_in.get(VIDEOS).content.decode()
    assert sorted(shown_places(page)) == ["1st", "2nd"]
    assert known_line(page) == "?"
    fetch(running)
    assert shown_places(signed_in.get(VIDEOS).content.decode()) == []
    assert cards.places([waiting, last], now=NOW) == {}


def test_a_place_counts_everybody_and_shows_nobody_else(buyer):
    allow(1)
    stranger = make_member(credits=1000)
    start(submit_clip(make_member(credits=1000)))
    theirs, mine = submit_clip(stranger, prompt="A secret launch"), submit_clip(buyer)
    page = client_of(buyer).get(VIDEOS).content.decode()
    assert shown_places(page) == ["2nd"]
    assert str(theirs.pk) not in page
    assert "A secret launch" not in page
    body = poll(client_of(buyer), buyer, "?").content.decode()
    assert known_line(body) == f"{mine.pk.hex[:8]}-2"
    assert str(theirs.pk) not in body


def test_a_closed_provider_has_no_line_to_stand_in(signed_in, buyer):
    allow(1)
    start(submit_clip(buyer))
    submit_clip(buyer)
    assert shown_places(signed_in.get(VIDEOS).content.decode()) == ["1st"]
    ProviderSwitch.objects.filter(pk="kling_2_6").update(mode="closed")
    assert switches.room(KLING) == switches.EVERY_JOB
    assert shown_places(signed_in.get(VIDEOS).content.decode()) == []


def test_fewer_places_than_jobs_at_the_provider_is_no_room_rather_than_less(buyer):
    for _ in range(3):
        start(submit_clip(buyer))
    allow(1)
    assert switches.room(KLING) == 0
    allow(5)
    assert switches.room(KLING) == 2


def test_an_accepted_order_shows_its_place_and_asks_for_it_from_then_on(signed_in, buyer):
    allow(1)
    start(submit_clip(buyer))
    form = {"prompt": "x", "submission_key": "k1", "v": "0"}
    body = signed_in.post(f"{VIDEOS}/generate/", form, headers=HTMX).content.decode()
    assert shown_places(body) == ["1st"]
    assert known_line(body) == "?"
    known = f"{Generation.objects.get(submission_key='k1').pk.hex[:8]}-1"
    again = {"prompt": "y", "submission_key": "k2", "v": "0", "line": known}
    body = signed_in.post(f"{VIDEOS}/generate/", again, headers=HTMX).content.decode()
    assert known_line(body) == known


# --- The poll -------------------------------------------------------------------------------------


def test_a_poll_draws_the_waiting_again_when_a_place_moved_and_only_then(signed_in, buyer):
    allow(1)
    running, first, second = (submit_clip(buyer) for _ in range(3))
    start(running)
    answer = poll(signed_in, buyer, "?")
    assert answer.status_code == 200
    known = known_line(answer.content.decode())
    assert set(known.split(",")) == {f"{first.pk.hex[:8]}-1", f"{second.pk.hex[:8]}-2"}

    answer = poll(signed_in, buyer, known)
    assert (answer.status_code, answer.content) == (204, b"")

    # Somebody else's order, which changes nothing in this workspace.
    submit_clip(make_member(credits=1000))
    answer = poll(signed_in, buyer, known)
    assert answer.status_code == 200
    body = answer.content.decode()
    moved = known_line(body)
    assert set(moved.split(",")) == {f"{first.pk.hex[:8]}-2", f"{second.pk.hex[:8]}-3"}
    assert sorted(shown_places(body)) == ["2nd", "3rd"]
    assert f'id="gen-{running.pk}"' not in body
    assert 'id="announce"' not in body
    assert poll(signed_in, buyer, moved).status_code == 204


def test_a_poll_that_finds_room_takes_the_places_away_and_stops_asking(signed_in, buyer):
    allow(1)
    running, waiting = submit_clip(buyer), submit_clip(buyer)
    start(running)
    known = known_line(poll(signed_in, buyer, "?").content.decode())
    fetch(running)
    body = poll(signed_in, buyer, known).content.decode()
    assert f'id="gen-{waiting.pk}"' in body
    assert shown_places(body) == []
    assert known_line(body) == ""


def test_a_moved_place_does_not_move_the_revision(signed_in, buyer):
    allow(1)
    start(submit_clip(buyer))
    submit_clip(buyer)
    seen = selectors.revision(workspace_id=buyer.workspace_id)
    body = poll(signed_in, buyer, "?").content.decode()
    assert re.search(rf'id="rev"[^>]*value="{seen}"', body)
    assert selectors.revision(workspace_id=buyer.workspace_id) == seen


def test_a_clip_that_changed_and_moved_is_drawn_once(signed_in, buyer):
    allow(1)
    start(submit_clip(buyer))
    waiting = submit_clip(buyer)
    answer = signed_in.get(POLL, {"v": "0", "page": "video", "line": "?"}, headers=HTMX)
    assert answer.content.decode().count(f'id="gen-{waiting.pk}"') == 1


def test_the_pictures_page_is_told_nothing_of_the_line_for_clips(signed_in, buyer):
    allow(1)
    start(submit_clip(buyer))
    clip = submit_clip(buyer)
    seen = selectors.revision(workspace_id=buyer.workspace_id)
    answer = signed_in.get(POLL, {"v": seen, "page": "image", "line": "x"}, headers=HTMX)
    assert str(clip.pk) not in answer.content.decode()


def test_a_page_without_places_polls_in_two_queries(signed_in, buyer, django_assert_num_queries):
    submit_clip(buyer)
    seen = selectors.revision(workspace_id=buyer.workspace_id)
    given = {"v": seen, "page": "video"}
    assert signed_in.get(POLL, given, headers=HTMX).status_code == 204
    # The person with their memberships, the revision.
    with django_assert_num_queries(2):
        answer = signed_in.get(POLL, given, headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_page_with_twenty_places_polls_in_as_many_queries_as_with_two(
    signed_in, buyer, django_assert_max_num_queries
):
    allow(1)
    start(submit_clip(buyer))
    for _ in range(20):
        submit_clip(buyer)
    known = known_line(poll(signed_in, buyer, "?").content.decode())
    assert known.count("-") == 20
    # Two at the door; person, revision, the waiting with makers and jobs; switch, taken, line.
    with django_assert_max_num_queries(10):
        assert poll(signed_in, buyer, known).status_code == 204


def test_an_owner_sees_the_place_of_a_colleagues_clip(buyer):
    allow(1)
    start(submit_clip(buyer))
    waiting = submit_clip(buyer)
    owner = make_member(role=Role.OWNER, workspace_id=buyer.workspace_id)
    assert shown_places(client_of(owner).get(VIDEOS).content.decode()) == ["1st"]
    colleague = make_member(workspace_id=buyer.workspace_id)
    body = poll(client_of(colleague), colleague, "?").content.decode()
    assert str(waiting.pk) not in body
