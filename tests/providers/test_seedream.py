"""The Seedream adapter against a stand-in that speaks ModelArk's protocol over real HTTP."""

import io
import math
import socket
import threading
import time
from collections.abc import Callable
from urllib.request import urlopen

import pytest
from PIL import Image

from creative_hub.providers.base import ErrorClass, Poll, ProviderError, Recovery, UpstreamState
from creative_hub.providers.seedream import (
    MAX_PIXELS,
    SeedreamAdapter,
    prompt_with_style,
    size_to_ask,
)
from tests.providers.fakes.ark import FakeArk
from tests.providers.orders import error_of, order

Make = Callable[..., SeedreamAdapter]


def refusal(adapter: SeedreamAdapter, **changes: object) -> ProviderError:
    return error_of(adapter.submit, order(**changes))


# --- the call ---


def test_an_order_becomes_one_documented_call(ark: FakeArk, seedream: Make) -> None:
    done = seedream().submit(order(external_id="job-9", style="cinematic"))
    [request] = ark.requests
    assert request.body == {
        "model": "seedream-4-0-250828",
        "prompt": "A red kite over a grey sea. Style: cinematic film still",
        "size": "1280x720",
        "response_format": "url",
        "watermark": False,
        "sequential_image_generation": "disabled",
    }
    assert request.headers["Authorization"] == f"Bearer {ark.api_key}"
    assert request.client_request_id == "job-9"
    assert done.state is UpstreamState.SUCCEEDED
    assert done.request_id.startswith("req-")


def test_the_link_leads_to_a_jpeg_of_the_asked_size(seedream: Make) -> None:
    done = seedream().submit(order(width=720, height=900))
    with urlopen(done.result_url) as answer:  # noqa: S310 - the stand-in's
        image = Image.open(io.BytesIO(answer.read()))
    assert (image.format, image.size) == ("JPEG", (864, 1080))


@pytest.mark.parametrize(
    ("ordered", "asked_4_0", "asked_4_5"),
    [
        ((720, 1280), (720, 1280), (1440, 2560)),
        ((1080, 1920), (1080, 1920), (1440, 2560)),
        ((720, 720), (960, 960), (1920, 1920)),
        ((1080, 1080), (1080, 1080), (1920, 1920)),
        ((720, 900), (864, 1080), (1728, 2160)),
        ((1080, 1350), (1080, 1350), (1728, 2160)),
        ((1280, 720), (1280, 720), (2560, 1440)),
        ((1920, 1080), (1920, 1080), (2560, 1440)),
        ((720, 960), (840, 1120), (1680, 2240)),
        ((1080, 1440), (1080, 1440), (1680, 2240)),
    ],
)
def test_the_smallest_allowed_size_of_the_ratio_is_asked_for(
    ark: FakeArk,
    seedream: Make,
    ordered: tuple[int, int],
    asked_4_0: tuple[int, int],
    asked_4_5: tuple[int, int],
) -> None:
    for model, asked, minimum in (
        ("seedream-4-0-250828", asked_4_0, 921_600),
        ("seedream-4-5-251128", asked_4_5, 3_686_400),
    ):
        width, height = size_to_ask(model=model, width=ordered[0], height=ordered[1])
        assert (width, height) == asked
        assert width * ordered[1] == height * ordered[0]
        assert minimum <= width * height <= MAX_PIXELS
        assert width >= ordered[0]
        assert height >= ordered[1]
        seedream(model=model).submit(order(width=ordered[0], height=ordered[1]))
        assert ark.requests[-1].body["size"] == f"{width}x{height}"


def test_an_unknown_model_is_asked_for_what_every_family_makes() -> None:
    assert size_to_ask(model="ep-20260101-abcde", width=720, height=720) == (1920, 1920)


@pytest.mark.parametrize(("width", "height"), [(4096, 4104), (17 * 300, 300)])
def test_a_size_that_no_model_makes_is_refused_before_any_call(
    ark: FakeArk, seedream: Make, width: int, height: int
) -> None:
    error = refusal(seedream(), width=width, height=height)
    assert error.error_class is ErrorClass.BAD_REQUEST
    assert ark.requests == []


@pytest.mark.parametrize(
    ("prompt", "style", "sent"),
    [
        ("A boat", "", "A boat"),
        ("  A boat\n", "", "  A boat\n"),
        ("A boat", "3D", "A boat. Style: polished 3D render"),
        ("A boat!", "Anime", "A boat! Style: anime illustration"),
        ("A boat", "1970s postcard", "A boat. Style: 1970s postcard"),
        ("A boat", "x" * 64, "A boat. Style: " + "x" * 64),
    ],
)
def test_the_style_follows_the_prompt_as_a_sentence(prompt: str, style: str, sent: str) -> None:
    assert prompt_with_style(prompt=prompt, style=style) == sent


def test_there_is_nothing_to_poll_to_find_or_to_collect(seedream: Make) -> None:
    adapter = seedream()
    job = Poll(upstream_id="", order=order())
    assert adapter.find(order(), sent_at=0.0) is None
    assert adapter.recovery is Recovery.REPEAT_ONCE
    with pytest.raises(NotImplementedError):
        adapter.poll([job])
    with pytest.raises(ProviderError) as caught:
        adapter.collect(job, io.BytesIO())
    assert caught.value.error_class is ErrorClass.RESULT_EXPIRED


def test_one_adapter_serves_many_threads(ark: FakeArk, seedream: Make) -> None:
    adapter = seedream()
    links: list[str] = []

    def send(number: int) -> None:
        links.append(adapter.submit(order(external_id=f"job-{number}")).result_url)

    threads = [threading.Thread(target=send, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(set(links)) == 8
    assert ark.made_per_client_id() == {f"job-{i}": 1 for i in range(8)}


# --- answers that are nonsense ---


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("html", ErrorClass.AMBIGUOUS),
        ("garbage", ErrorClass.AMBIGUOUS),
        ("empty", ErrorClass.AMBIGUOUS),
        ("truncated", ErrorClass.AMBIGUOUS),
        ("cut_off", ErrorClass.AMBIGUOUS),
        ("drop_before", ErrorClass.AMBIGUOUS),
        ("drop_after", ErrorClass.AMBIGUOUS),
        ("redirect", ErrorClass.AMBIGUOUS),
        ("no_data", ErrorClass.BAD_RESULT),
        ("no_url", ErrorClass.BAD_RESULT),
        ("b64", ErrorClass.BAD_RESULT),
        ("bad_url", ErrorClass.BAD_RESULT),
    ],
)
def test_nonsense_is_told_apart_and_nothing_is_sent_twice(
    ark: FakeArk, seedream: Make, kind: str, expected: ErrorClass
) -> None:
    ark.cause(kind, times=5)
    assert refusal(seedream()).error_class is expected
    assert len(ark.requests) == 1


@pytest.mark.parametrize("kind", ["huge", "endless"])
def test_an_answer_without_end_is_cut_off(ark: FakeArk, seedream: Make, kind: str) -> None:
    ark.cause(kind)
    began = time.monotonic()
    error = refusal(seedream())
    assert error.error_class is ErrorClass.AMBIGUOUS
    assert error.message == "unreadable answer: the answer is too large"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("kind", ["drip", "drip_headers", "hang_before", "hang_after"])
def test_the_whole_call_has_one_deadline_however_the_answer_drips(
    ark: FakeArk, seedream: Make, kind: str
) -> None:
    seconds = 0.05 if kind.startswith("drip") else 30
    ark.cause(kind, seconds=seconds)
    adapter = seedream(connect_timeout_s=0.3, read_timeout_s=0.5)
    began = time.monotonic()
    assert refusal(adapter).error_class is ErrorClass.AMBIGUOUS
    took = time.monotonic() - began
    assert 0.7 < took < 1.6
    assert took < adapter.submit_limit_s
    assert len(ark.requests) == 1


def test_the_longest_call_is_stated() -> None:
    adapter = SeedreamAdapter(base_url="http://127.0.0.1:1/api/v3", api_key="k", model="m")
    assert adapter.submit_limit_s == 340.0
    assert math.isfinite(adapter.submit_limit_s)


def test_a_refused_connection_never_reached_them(seedream: Make) -> None:
    error = refusal(seedream(base_url="http://127.0.0.1:9/api/v3"))
    assert (error.error_class, error.code) == (ErrorClass.TRANSIENT, "not_reached")
    assert error.message == "could not connect: ConnectionRefusedError"


def test_a_name_that_does_not_resolve_never_reached_them(seedream: Make) -> None:
    error = refusal(seedream(base_url="http://no-such-host.invalid/api/v3"))
    assert (error.error_class, error.code) == (ErrorClass.TRANSIENT, "not_reached")


def test_a_failed_tls_handshake_never_reached_them(ark: FakeArk, seedream: Make) -> None:
    base_url = ark.base_url.replace("http://", "https://")
    error = refusal(seedream(base_url=base_url))
    assert (error.error_class, error.code) == (ErrorClass.TRANSIENT, "not_reached")


def test_a_tls_handshake_that_never_ends_is_cut(seedream: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base_url = f"https://127.0.0.1:{silent.getsockname()[1]}/api/v3"
        adapter = seedream(base_url=base_url, connect_timeout_s=0.3, read_timeout_s=0.3)
        began = time.monotonic()
        assert refusal(adapter).error_class is ErrorClass.TRANSIENT
        assert time.monotonic() - began < 1.5


# --- what leaves the adapter ---


def test_messages_hold_no_key_no_prompt_and_no_signed_link(ark: FakeArk, seedream: Make) -> None:
    prompt = "Our secret summer launch: a turquoise kite for Brand X"
    ark.cause(
        "error",
        status=400,
        code="InvalidParameter",
        message=(
            f"Key {ark.api_key} (Bearer abc.def) sent '{prompt[:40]}' and read "
            "https://tos.example/a.png?X-Tos-Signature=s3cret#x too late"
        ),
    )
    error = refusal(seedream(), prompt=prompt)
    for text in (error.message, str(error)):
        for secret in (ark.api_key, "abc.def", "turquoise", "secret summer", "s3cret"):
            assert secret not in text
    assert "https://tos.example/a.png?[cut] too late" in error.message


def test_a_short_prompt_is_cut_out_as_a_word_only(ark: FakeArk, seedream: Make) -> None:
    ark.cause("error", status=400, code="InvalidParameter", message="No 'cat' in this category.")
    error = refusal(seedream(), prompt="cat")
    assert error.message.startswith("No '[prompt]' in this category.")


def test_the_environment_has_no_say(
    ark: FakeArk, seedream: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert seedream().submit(order()).state is UpstreamState.SUCCEEDED
