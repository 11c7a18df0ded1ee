"""The stand-in itself: as strict as the documentation, and steerable from outside."""

import io
import json
import struct
import subprocess
import sys
from typing import Any

import pytest
import requests
from PIL import Image

from tests.providers.fakes.ark import FakeArk
from tests.providers.fakes.faults import RESULT

GOOD = {"model": "seedream-4-0-250828", "prompt": "A boat", "size": "1280x720", "watermark": False}


def post(ark: FakeArk, body: Any, *, key: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {ark.api_key if key is None else key}"}
    return requests.post(
        f"{ark.base_url}/images/generations", json=body, headers=headers, timeout=5
    )


def test_a_good_order_makes_a_jpeg_of_the_asked_size(ark: FakeArk) -> None:
    answer = post(ark, GOOD).json()
    assert answer["data"][0]["size"] == "1280x720"
    assert answer["usage"]["output_tokens"] == 1280 * 720 // 256
    content = requests.get(answer["data"][0]["url"], timeout=5).content
    assert Image.open(io.BytesIO(content)).size == (1280, 720)


@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"n": 2}, 400, "InvalidParameter", "n"),
        ({"seed": 7}, 400, "InvalidParameter", "seed"),
        ({"watermark": "false"}, 400, "InvalidParameter", "watermark"),
        ({"response_format": "jpeg"}, 400, "InvalidParameter", "response_format"),
        ({"size": "720x720"}, 400, "InvalidParameter", "size"),
        ({"size": "1280×720"}, 400, "InvalidParameter", "size"),
        ({"size": "5000x5000"}, 400, "InvalidParameter", "size"),
        ({"prompt": ""}, 400, "InvalidParameter", "prompt"),
        ({"prompt": None}, 400, "InvalidParameter", "prompt"),
        ({"model": "seedream-4-0"}, 404, "InvalidEndpointOrModel.NotFound", None),
        ({"model": ["x"]}, 404, "InvalidEndpointOrModel.NotFound", None),
        ({"model": "seedream-4-5-251128"}, 400, "InvalidParameter", "size"),
    ],
)
def test_what_the_documentation_refuses_is_refused(
    ark: FakeArk, change: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    answer = post(ark, {**GOOD, **change})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error.get("param")) == (status, code, param)
    assert "Request id: " in error["message"]
    assert answer.headers["X-Request-Id"]
    assert ark.made == []


def test_a_missing_field_a_wrong_key_and_a_body_that_is_no_object_are_refused(
    ark: FakeArk,
) -> None:
    assert post(ark, {"model": GOOD["model"]}).json()["error"]["code"] == "MissingParameter"
    assert post(ark, GOOD, key="other").status_code == 401
    assert post(ark, ["A boat"]).status_code == 400


def test_links_need_their_signature_and_expire(ark: FakeArk) -> None:
    url = post(ark, GOOD).json()["data"][0]["url"]
    assert requests.get(url, timeout=5).status_code == 200
    assert requests.get(url.split("?")[0], timeout=5).status_code == 403
    ark.expire_links()
    assert requests.get(url, timeout=5).status_code == 403


@pytest.mark.parametrize("kind", sorted(RESULT - {"result_hang", "result_drip", "result_huge"}))
def test_files_go_wrong_as_told(ark: FakeArk, kind: str) -> None:
    ark.cause(kind)
    url = post(ark, GOOD).json()["data"][0]["url"]
    if kind == "result_cut_off":
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(url, timeout=5)
        return
    answer = requests.get(url, timeout=5, allow_redirects=False)
    expected = {"result_expired": 403, "result_missing": 404, "result_redirect": 302}
    assert answer.status_code == expected.get(kind, 200)
    if kind == "result_bomb":
        # Read from the header: Pillow refuses to open what it would take too much memory to decode.
        assert struct.unpack(">II", answer.content[16:24]) == (8_000, 8_000)
        assert len(answer.content) < 64 * 1024


def test_a_file_of_three_gigabytes_says_so(ark: FakeArk) -> None:
    ark.cause("result_huge")
    url = post(ark, GOOD).json()["data"][0]["url"]
    with requests.get(url, timeout=5, stream=True) as answer:
        assert answer.headers["Content-Length"] == str(3 * 1024**3)


def test_markers_in_the_prompt_steer_and_can_be_counted(ark: FakeArk) -> None:
    marked = {**GOOD, "prompt": "A boat [ark:429*1]"}
    assert [post(ark, marked).status_code for _ in range(3)] == [429, 200, 200]
    assert post(ark, {**GOOD, "prompt": "[ark:500]"}).status_code == 500
    assert post(ark, {**GOOD, "prompt": "[ark:unheard_of]"}).status_code == 200


def test_it_can_be_steered_and_read_over_http(ark: FakeArk) -> None:
    control = f"{ark.origin}/__control__"
    fault = {"kind": "error", "status": 503, "code": "", "match": "boat", "times": 1}
    assert requests.post(f"{control}/faults", json=fault, timeout=5).status_code == 200
    assert requests.post(f"{control}/faults", json={"kind": "x"}, timeout=5).status_code == 400
    assert [post(ark, GOOD).status_code for _ in range(2)] == [503, 200]
    seen = requests.get(f"{control}/requests", timeout=5).json()
    assert [(entry["status"], entry["was_made"]) for entry in seen] == [(503, False), (200, True)]
    requests.post(f"{control}/reset", timeout=5)
    assert ark.requests == []


def test_it_can_be_started_by_hand() -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.providers.fakes", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        lines = [program.stdout.readline() for _ in range(8)]
        base = next(line.split("=")[1].strip() for line in lines if "ARK_API_BASE=" in line)
        seen = requests.get(base.replace("/api/v3", "/__control__/requests"), timeout=5)
        assert json.loads(seen.text) == []
    finally:
        program.terminate()
        program.wait(5)
        if program.stdout is not None:
            program.stdout.close()
