"""Cards, filters and the viewer, in a real Chromium."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from creative_hub.models import Generation
from tests.browser.steps import PROMPT, card, forgive, generate, new_cards
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit
from tests.factories import balance_of, make_member
from tests.flows.processes import running_stack

pytestmark = pytest.mark.browser


def test_a_phones_back_closes_the_viewer_and_a_swipe_turns_the_page(signed_in):
    buyer = make_member(credits=1000)
    generation = submit(buyer, now=timezone.now(), resolution="720p", num_variants=2)
    finish(generation)
    page = signed_in(buyer)
    address = page.url
    card(page, generation).locator("a.frame").first.click()
    viewer = page.locator("#viewer")
    expect(viewer).to_contain_text("Variant 1 of 2")
    page.evaluate(
        """() => { const stage = document.querySelector(".look-stage");
            const at = x => new Touch({ identifier: 1, target: stage, clientX: x, clientY: 300 });
            const fire = (name, now, x) => stage.dispatchEvent(new TouchEvent(name,
                { bubbles: true, touches: now ? [at(x)] : [], changedTouches: [at(x)] }));
            fire("touchstart", true, 300); fire("touchend", false, 120); }"""
    )
    expect(viewer).to_contain_text("Variant 2 of 2")
    page.go_back()
    expect(viewer).to_be_hidden()
    assert page.url == address

    card(page, generation).locator("a.frame").first.click()
    expect(viewer).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    page.wait_for_function("() => !history.state?.viewer")
    assert page.url == address


def test_a_picture_opened_offline_leaves_the_page_where_it_is(signed_in, context, faults):
    buyer = make_member(credits=1000)
    generation = submit(buyer, now=timezone.now(), resolution="720p")
    finish(generation)
    page = signed_in(buyer)
    context.set_offline(True)
    card(page, generation).locator("a.frame").first.click()
    expect(page.locator("#conn")).to_be_visible()
    expect(page.get_by_label("Prompt")).to_be_visible()
    context.set_offline(False)
    expect(page.locator("#conn")).to_be_hidden(timeout=6000)
    forgive(faults, "ERR_INTERNET_DISCONNECTED")


def test_a_filter_keeps_the_results_in_view_on_a_phone(signed_in):
    buyer = make_member(credits=1000)
    finish(submit(buyer, now=timezone.now(), resolution="720p"))
    page = signed_in(buyer)
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="Completed").click()
    page.wait_for_url("**?show=completed#results")
    expect(page.get_by_role("heading", name="Results")).to_be_in_viewport()


def test_what_does_not_match_the_filter_is_not_put_under_it(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer, "/creative-hub/image-studio?show=completed")
    page.get_by_label("Prompt").fill(PROMPT)
    generate(page)
    expect(page.locator("#queued-elsewhere")).to_contain_text("Queued. It is under All.")
    expect(new_cards(page)).to_have_count(0)
    page.locator("#queued-elsewhere").get_by_role("link", name="Show it").click()
    expect(card(page, Generation.objects.get())).to_be_in_viewport()


def test_load_more_goes_on_to_the_first_of_the_new_cards(signed_in):
    buyer = make_member(credits=1000)
    for _ in range(26):
        submit(buyer, now=timezone.now())
    page = signed_in(buyer)
    page.get_by_role("link", name="Load more").click()
    expect(new_cards(page)).to_have_count(26)
    expect(new_cards(page).nth(24)).to_be_focused()


def test_a_queued_job_is_cancelled_and_its_credits_come_back(signed_in):
    buyer = make_member(credits=1000)
    generation = submit(buyer, now=timezone.now())
    page = signed_in(buyer)
    card(page, generation).get_by_role("button", name="Cancel").click()
    expect(card(page, generation).locator(".status.cancelled")).to_be_visible()
    expect(card(page, generation)).to_contain_text("33 held → released, not charged")
    expect(page.locator("#credit-meter")).to_contain_text("1,000")
    assert balance_of(buyer) == (1000, 0)


def test_a_failure_offers_edit_and_retry_with_everything_filled_in(signed_in):
    buyer = make_member(credits=1000)
    with running_stack():
        generation = submit(
            buyer,
            now=timezone.now(),
            prompt="A boat [sandbox:fail=content_refused]",
            aspect_ratio="16:9",
        )
        page = signed_in(buyer)
        expect(card(page, generation).locator(".status.failed")).to_be_visible(timeout=15_000)
    expect(card(page, generation)).to_contain_text("No credits charged")
    expect(card(page, generation)).to_contain_text("under its content rules")
    card(page, generation).get_by_role("link", name="Edit and retry").click()
    expect(page.get_by_label("Prompt")).to_have_value("A boat [sandbox:fail=content_refused]")
    expect(page.locator("input[name=aspect_ratio][value='16:9']")).to_be_checked()


def test_three_of_four_are_shown_and_charged_as_three(signed_in):
    buyer = make_member(credits=1000)
    with running_stack():
        generation = submit(
            buyer,
            now=timezone.now(),
            prompt="A boat [sandbox:fail=content_refused@2]",
            num_variants=4,
            resolution="720p",
        )
        page = signed_in(buyer)
        done = card(page, generation).locator(".status.completed")
        expect(done).to_have_text("3 of 4 images", timeout=20_000)
    expect(card(page, generation)).to_contain_text("132 held → 99 charged, 33 released")
    expect(card(page, generation).locator("a.frame")).to_have_count(3)


def test_the_viewer_opens_by_keyboard_moves_and_gives_the_focus_back(signed_in):
    buyer = make_member(credits=1000)
    generation = submit(buyer, now=timezone.now(), resolution="720p", num_variants=2)
    finish(generation)
    page = signed_in(buyer)
    first = card(page, generation).locator("a.frame").first
    first.focus()
    page.keyboard.press("Enter")
    viewer = page.locator("#viewer")
    expect(viewer).to_be_visible()
    expect(viewer).to_contain_text("A boat at dawn")
    expect(viewer).to_contain_text("66 held → 66 charged")
    shown = viewer.locator("img").first.get_attribute("src")
    page.keyboard.press("ArrowRight")
    expect(viewer.locator("img").first).not_to_have_attribute("src", shown)
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(first).to_be_focused()


def test_media_does_not_load_signed_out(site, signed_in, context):
    buyer = make_member(credits=1000)
    generation = submit(buyer, now=timezone.now(), resolution="720p")
    finish(generation)
    page = signed_in(buyer)
    source = card(page, generation).locator("a.frame img").get_attribute("src")
    assert source
    assert context.request.get(site + source).headers["content-type"] == "image/webp"
    context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    refused = context.request.get(site + source, max_redirects=0)
    assert refused.status == 302
    assert "login" in refused.headers["location"]
