"""Image Cinematic as a media buyer uses it, in a real Chromium against real processes."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from creative_hub.models import Generation, ProviderJob
from tests.browser.conftest import watch
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit
from tests.factories import balance_of, make_member
from tests.flows.processes import running_stack

pytestmark = pytest.mark.browser

PROMPT = "A lone car on a desert highway at golden hour"


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f'input[name={name}][value="{value}"]').check(force=True)


def generate(page: Page) -> None:
    page.locator("#generate").click()


def card(page: Page, generation: Generation):
    return page.locator(f"#gen-{generation.pk}")


def test_a_buyer_signs_in_and_gets_four_pictures_that_are_stored_and_paid_for(
    site, page, faults, tmp_path
):
    buyer = make_member(credits=25_000)
    watch(page, faults)
    with running_stack(SANDBOX_DELAY_S="3"):
        page.goto(site)
        page.locator("input[name=login]").fill(buyer.email)
        page.get_by_label("Password", exact=True).fill("a password")
        page.keyboard.press("Enter")
        page.wait_for_url("**/image-studio")
        expect(page.locator("#credit-meter")).to_contain_text("25,000")

        page.get_by_label("Prompt").fill(PROMPT)
        choose(page, "aspect_ratio", "4:5")
        choose(page, "num_variants", "4")
        expect(page.locator("#generate")).to_contain_text("Generate 4 images")
        expect(page.locator("#generate")).to_contain_text("132 credits")
        generate(page)

        new = page.locator("li.card:not(#ghost)").first
        expect(new).to_contain_text("132 credits held")
        expect(page.locator("#credit-meter")).to_contain_text("132 held")
        expect(new.locator(".status.processing")).to_be_visible(timeout=15_000)
        expect(new.locator(".status.completed")).to_have_text("4 images", timeout=30_000)

    expect(new.locator(".receipt")).to_have_text("132 held → 132 charged")
    expect(page.locator("#credit-meter")).to_contain_text("24,868")
    expect(page.locator("#credit-meter")).not_to_contain_text("held")
    assert balance_of(buyer) == (24_868, 0)
    originals = [job.asset_id for job in ProviderJob.objects.all()]
    sizes = page.evaluate(
        """async ids => Promise.all(ids.map(async id => {
            const image = new Image(); image.src = `/media/${id}`; await image.decode();
            return [image.naturalWidth, image.naturalHeight]; }))""",
        [str(one) for one in originals],
    )
    assert sizes == [[1080, 1350]] * 4

    new.locator("a.frame").first.click()
    viewer = page.locator("#viewer")
    expect(viewer).to_be_visible()
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download").first.click()
    assert re.fullmatch(
        r"wevion-image-\d{8}-a-lone-car-on-a-desert-highway-at-golden-hour-4x5-v1\.jpg",
        download.value.suggested_filename,
    )
    assert faults == []


def test_the_prompt_survives_success_and_the_form_stays_usable(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    generate(page)
    expect(page.locator("li.card:not(#ghost)")).to_have_count(1)
    expect(page.get_by_label("Prompt")).to_have_value(PROMPT)
    generate(page)
    expect(page.locator("li.card:not(#ghost)")).to_have_count(2)
    assert balance_of(buyer) == (934, 66)


def test_three_submits_in_one_moment_are_one_job(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    page.evaluate(
        "() => { const f = document.getElementById('composer');"
        " f.requestSubmit(); f.requestSubmit(); f.requestSubmit(); }"
    )
    expect(page.locator("li.card:not(#ghost)")).to_have_count(1)
    page.wait_for_timeout(500)
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (967, 33)


def test_control_enter_generates_from_the_prompt(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    page.keyboard.press("Control+Enter")
    expect(page.locator("li.card:not(#ghost)")).to_have_count(1)


def test_an_empty_prompt_moves_the_focus_to_a_summary_that_leads_to_the_field(signed_in):
    page = signed_in(make_member(credits=1000))
    choose(page, "num_variants", "3")
    expect(page.locator("#generate")).to_contain_text("99 credits")
    generate(page)
    summary = page.locator("#error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Write a prompt of 1 to 4000 characters.")
    expect(page.locator("input[name=num_variants][value='3']")).to_be_checked()
    expect(page).to_have_title(re.compile("^Error: "))
    summary.get_by_role("link").click()
    expect(page.get_by_label("Prompt")).to_be_focused()
    assert not Generation.objects.exists()


def test_too_little_credit_is_said_beside_the_form_and_the_prompt_stays(signed_in):
    poor = make_member(credits=84)
    page = signed_in(poor)
    page.get_by_label("Prompt").fill(PROMPT)
    choose(page, "num_variants", "4")
    expect(page.locator("#generate")).to_contain_text("132 credits")
    generate(page)
    notice = page.locator("#composer-notice")
    expect(notice.get_by_role("heading")).to_have_text("Insufficient credits")
    expect(notice).to_contain_text("84")
    assert page.evaluate(
        "document.getElementById('composer-notice').contains(document.activeElement)"
    )
    expect(page.get_by_label("Prompt")).to_have_value(PROMPT)
    assert balance_of(poor) == (84, 0)


def test_the_draft_survives_a_reload_and_a_signed_out_session(signed_in, context, faults):
    page = signed_in(make_member(credits=1000))
    page.get_by_label("Prompt").fill(PROMPT)
    choose(page, "aspect_ratio", "9:16")
    page.reload()
    expect(page.get_by_label("Prompt")).to_have_value(PROMPT)
    expect(page.locator("input[name=aspect_ratio][value='9:16']")).to_be_checked()
    context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    generate(page)
    expect(page.locator("#signed-out")).to_be_visible()
    faults.clear()  # htmx writes the 401 to the console
    expect(page.get_by_label("Prompt")).to_have_value(PROMPT)
    assert not Generation.objects.exists()


def forgive(faults: list[str], *names: str) -> None:
    faults[:] = [one for one in faults if not any(name in one for name in (*names, "htmx"))]


def new_cards(page: Page):
    return page.locator("li.card:not(#ghost)")


def test_a_second_tap_is_no_second_order_and_a_later_press_is_one(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    generate(page)
    expect(page.locator("#generate")).to_contain_text("Queued ✓")
    page.locator("#generate").dispatch_event("click")
    page.locator("#prompt").press("Control+Enter")
    page.wait_for_timeout(300)
    assert Generation.objects.count() == 1
    expect(page.locator("#generate")).to_have_text(re.compile("Generate 1 image"))
    expect(page.locator("#generate")).not_to_have_attribute("aria-disabled", "true")
    generate(page)
    expect(new_cards(page)).to_have_count(2)
    assert balance_of(buyer) == (934, 66)


def test_offline_nothing_is_sent_and_trying_again_is_one_job(signed_in, context, faults):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    context.set_offline(True)
    generate(page)
    expect(page.locator("#not-sent")).to_contain_text("Not sent. Nothing was charged.")
    expect(page.locator("#not-sent")).to_be_focused()
    context.set_offline(False)
    page.locator("#not-sent").get_by_role("button", name="Try again").click()
    expect(new_cards(page)).to_have_count(1)
    expect(page.locator("#not-sent")).to_be_hidden()
    assert balance_of(buyer) == (967, 33)
    forgive(faults, "ERR_INTERNET_DISCONNECTED")


def lose_the_answer(route):
    route.fetch()
    route.abort()


def test_a_lost_answer_promises_nothing_and_trying_again_is_one_job(signed_in, faults):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    page.route("**/generate/", lose_the_answer)
    page.route("**/poll/**", lambda route: route.abort())
    generate(page)
    expect(page.locator("#no-answer")).to_be_focused()
    expect(page.locator("#no-answer")).to_contain_text("No answer came")
    expect(page.locator("#no-answer")).to_contain_text("It may have been ordered.")
    expect(page.locator("#not-sent")).to_be_hidden()
    assert Generation.objects.count() == 1
    page.unroute("**/generate/")
    page.locator("#no-answer").get_by_role("button", name="Try again").click()
    expect(new_cards(page)).to_have_count(1)
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (967, 33)
    forgive(faults, "ERR_FAILED")


def test_what_a_lost_press_ordered_comes_to_an_idle_page_once_and_in_its_place(signed_in, faults):
    buyer = make_member(credits=1000)
    older = submit(buyer, now=timezone.now(), resolution="720p")
    finish(older)
    page = signed_in(buyer)
    expect(page.locator("#poller[hx-get]")).to_have_count(0)
    page.get_by_label("Prompt").fill(PROMPT)
    page.route("**/generate/", lose_the_answer)
    generate(page)
    expect(new_cards(page)).to_have_count(2, timeout=12_000)
    new = Generation.objects.get(prompt=PROMPT)
    expect(new_cards(page).first).to_have_attribute("id", f"gen-{new.pk}")
    expect(page.locator("#no-answer")).to_be_hidden()
    page.unroute("**/generate/")
    generate(page)
    expect(new_cards(page)).to_have_count(3)
    assert Generation.objects.count() == 3
    forgive(faults, "ERR_FAILED")


def test_a_generation_ordered_elsewhere_appears_where_a_reload_would_show_it(signed_in):
    buyer = make_member(credits=1000)
    first = submit(buyer, now=timezone.now())
    page = signed_in(buyer)
    second = submit(buyer, now=timezone.now())
    third = submit(buyer, now=timezone.now())
    expect(new_cards(page)).to_have_count(3, timeout=12_000)
    shown = new_cards(page).evaluate_all("cards => cards.map(card => card.id)")
    assert shown == [f"gen-{one.pk}" for one in (third, second, first)]


def test_a_price_that_could_not_be_asked_is_not_shown_as_valid_and_orders_nothing(
    signed_in, faults
):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    page.route("**/quote/**", lambda route: route.abort())
    choose(page, "num_variants", "4")
    expect(page.locator("#cost")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#generate")).to_contain_text("updating…")
    generate(page)
    notice = page.locator("#composer-notice")
    expect(notice).to_contain_text("The price is 132 credits for 4 images")
    expect(notice).to_contain_text("Nothing was ordered")
    assert not Generation.objects.exists()
    expect(page.locator("#generate")).to_contain_text("132 credits")
    generate(page)
    expect(new_cards(page)).to_have_count(1)
    assert balance_of(buyer) == (868, 132)
    forgive(faults, "ERR_FAILED")


def test_a_price_is_asked_again_when_the_network_is_back(signed_in, context, faults):
    page = signed_in(make_member(credits=1000))
    context.set_offline(True)
    choose(page, "num_variants", "2")
    expect(page.locator("#generate")).to_contain_text("updating…")
    page.wait_for_timeout(400)
    context.set_offline(False)
    expect(page.locator("#generate")).to_contain_text("66 credits", timeout=3000)
    forgive(faults, "ERR_INTERNET_DISCONNECTED")


def test_what_is_left_follows_the_meter(signed_in):
    buyer = make_member(credits=1000)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    expect(page.locator("#cost-note")).to_contain_text("967 left after")
    generate(page)
    expect(page.locator("#cost-note")).to_contain_text("934 left after")
    new_cards(page).get_by_role("button", name="Cancel").click()
    expect(page.locator("#cost-note")).to_contain_text("967 left after")


def test_a_refusal_goes_when_another_choice_fits(signed_in):
    page = signed_in(make_member(credits=84))
    page.get_by_label("Prompt").fill(PROMPT)
    choose(page, "num_variants", "4")
    expect(page.locator("#generate")).to_contain_text("132 credits")
    generate(page)
    expect(page.locator("#notice")).to_contain_text("Insufficient credits")
    choose(page, "num_variants", "2")
    expect(page.locator("#generate")).to_contain_text("66 credits")
    expect(page.locator("#notice")).to_have_count(0)


def test_on_a_phone_the_bar_says_queued_and_leads_to_the_results(signed_in):
    page = signed_in(make_member(credits=1000))
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_label("Prompt").fill(PROMPT)
    generate(page)
    link = page.locator(".genbar").get_by_role("link", name="View results")
    expect(link).to_be_in_viewport()
    expect(page.locator(".genbar .queued")).to_contain_text("Queued ✓")
    link.click()
    expect(new_cards(page)).to_be_in_viewport()


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
    page.wait_for_function("!history.state?.viewer")
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


def test_reusing_the_prompt_only_keeps_the_settings(signed_in):
    buyer = make_member(credits=1000)
    generation = submit(buyer, now=timezone.now(), resolution="720p", prompt="A red kite")
    finish(generation)
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    choose(page, "aspect_ratio", "16:9")
    choose(page, "num_variants", "3")
    page.locator(f"#more-{generation.pk}").click()
    page.get_by_role("link", name="Reuse prompt only").click()
    expect(page.get_by_label("Prompt")).to_have_value("A red kite")
    expect(page.locator("input[name=aspect_ratio][value='16:9']")).to_be_checked()
    expect(page.locator("input[name=num_variants][value='3']")).to_be_checked()
    expect(page.locator("#generate")).to_contain_text("99 credits")


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


def test_what_ends_leaves_the_list_of_what_is_in_progress(signed_in):
    buyer = make_member(credits=1000)
    generation = submit(buyer, now=timezone.now(), resolution="720p")
    page = signed_in(buyer, "/creative-hub/image-studio?show=in-progress")
    expect(card(page, generation)).to_be_visible()
    finish(generation)
    expect(card(page, generation)).to_have_count(0, timeout=12_000)
    expect(page.get_by_text("Nothing in progress")).to_be_visible()


def test_load_more_goes_on_to_the_first_of_the_new_cards(signed_in):
    buyer = make_member(credits=1000)
    for _ in range(26):
        submit(buyer, now=timezone.now())
    page = signed_in(buyer)
    page.get_by_role("link", name="Load more").click()
    expect(new_cards(page)).to_have_count(26)
    expect(new_cards(page).nth(24)).to_be_focused()


def test_the_counter_counts_as_the_server_does(signed_in):
    page = signed_in(make_member(credits=1000))
    page.get_by_label("Prompt").fill("🚗" * 4001)
    expect(page.locator("#prompt-count")).to_have_text("4001 / 4000")
    generate(page)
    expect(page.locator("#error-summary")).to_contain_text("4001 characters")


def polls(page: Page) -> list[str]:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    return seen


def test_an_idle_page_sends_no_request_at_all(signed_in):
    page = signed_in(make_member(credits=1000))
    page.wait_for_load_state("networkidle")
    sent = polls(page)
    page.wait_for_timeout(9000)
    assert sent == []


def test_a_poll_without_news_leaves_the_page_as_it_is(signed_in):
    buyer = make_member(credits=1000)
    submit(buyer, now=timezone.now())
    page = signed_in(buyer)
    page.wait_for_load_state("networkidle")
    # The ticking clock of a card is the page's own doing.
    page.evaluate("for (const e of document.querySelectorAll('[data-elapsed]')) e.remove()")
    before = page.evaluate("document.body.innerHTML")
    with page.expect_response("**/poll/**", timeout=9000) as answer:
        pass
    assert answer.value.status == 204
    page.wait_for_timeout(200)
    assert page.evaluate("document.body.innerHTML") == before


def test_what_plays_on_one_card_is_not_disturbed_by_the_end_of_another(signed_in):
    buyer = make_member(credits=1000)
    still = submit(buyer, now=timezone.now(), resolution="720p")
    finish(still)
    moving = submit(buyer, now=timezone.now(), resolution="720p", num_variants=2)
    page = signed_in(buyer)
    page.evaluate(
        """id => {
            const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
            setInterval(() => pen.fillRect(Math.random() * 99, 0, 9, 9), 40);
            const video = document.createElement("video");
            video.muted = true; video.id = "playing"; video.srcObject = canvas.captureStream(25);
            document.getElementById(id).querySelector(".stage").append(video);
            window.played = video; return video.play();
        }""",
        f"gen-{still.pk}",
    )
    page.locator(f"#more-{still.pk}").click()
    finish(moving)
    expect(card(page, moving).locator(".status.completed")).to_be_visible(timeout=12_000)
    at = page.evaluate("played.currentTime")
    page.wait_for_timeout(400)
    assert page.evaluate("document.getElementById('playing') === played && !played.paused")
    assert page.evaluate("played.currentTime") > at
    assert page.locator(f"#gen-{still.pk} details").evaluate("menu => menu.open")


def test_a_submit_during_a_poll_does_not_hide_what_the_poll_was_bringing(signed_in, faults):
    """The submit re-arms the poller, which drops the answer under way; the next one repeats it."""
    buyer = make_member(credits=1000)
    running = submit(buyer, now=timezone.now(), resolution="720p")
    page = signed_in(buyer)
    page.get_by_label("Prompt").fill(PROMPT)
    held: list[Any] = []

    def hold_the_first(route):
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    page.route("**/poll/**", hold_the_first)
    finish(running)
    deadline = time.monotonic() + 10
    while not held and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert held, "a poll was sent"
    generate(page)
    expect(page.locator("li.card:not(#ghost)")).to_have_count(2)
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(card(page, running).locator(".status.completed")).to_be_visible(timeout=12_000)
    # What htmx writes when it drops an answer whose poller is gone.
    faults[:] = [one for one in faults if "oobErrorNoTarget" not in one]


def test_a_server_that_is_overloaded_is_asked_less_often_and_the_page_says_so(signed_in, faults):
    buyer = make_member(credits=1000)
    submit(buyer, now=timezone.now())
    page = signed_in(buyer)
    asked: list[float] = []

    def overloaded(route):
        asked.append(time.monotonic())
        route.fulfill(status=503, body="")

    page.route("**/poll/**", overloaded)
    expect(page.locator("#conn")).to_be_visible(timeout=9000)
    page.wait_for_timeout(13_000)
    assert 1 <= len(asked) <= 3
    page.unroute("**/poll/**")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#conn")).to_be_hidden(timeout=9000)
    faults[:] = [one for one in faults if "503" not in one and "Error Status" not in one]


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
    expect(card(page, generation)).to_contain_text("refused this prompt under its content rules")
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


def test_everything_works_without_script(site, browser, browser_context_args):
    buyer = make_member(credits=1000)
    context = browser.new_context(**{**browser_context_args, "java_script_enabled": False})
    page = context.new_page()
    page.goto(f"{site}/creative-hub/image-studio")
    page.locator("input[name=login]").fill(buyer.email)
    page.get_by_label("Password", exact=True).fill("a password")
    page.keyboard.press("Enter")
    choose(page, "num_variants", "2")
    page.get_by_role("button", name="Update price").click()
    expect(page.locator("#generate")).to_contain_text("66 credits")
    generate(page)
    expect(page.locator("#error-summary")).to_be_visible()
    page.get_by_label("Prompt").fill(PROMPT)
    generate(page)
    generation = Generation.objects.get()
    assert page.url.endswith(f"?job={generation.pk}#gen-{generation.pk}")
    expect(card(page, generation)).to_contain_text("66 credits held")
    finish(generation)
    card(page, generation).get_by_role("link", name="Refresh").click()
    expect(card(page, generation).locator(".status.completed")).to_have_text("2 images")
    card(page, generation).locator("a.frame").first.click()
    assert "/creative-hub/assets/" in page.url
    expect(page.get_by_role("link", name="Download").first).to_be_visible()
    context.close()


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
