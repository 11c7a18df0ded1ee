"""Kling's errors as the adapter meets them, over real HTTP."""

from typing import Any

import pytest

from creative_hub.providers.base import RETRYABLE, ErrorClass, Upstream
from creative_hub.providers.kling_errors import Envelope, class_of_failed_task, id_of, link_of
from tests.providers.fakes.kling import FakeKling
from tests.providers.fakes.kling_faults import ERRORS
from tests.providers.kling_orders import Make, image_order, order
from tests.providers.orders import error_of

REFUSED, REQUEST = ErrorClass.CONTENT_REFUSED, ErrorClass.BAD_REQUEST
LIMITED, GONE, CREDIT = ErrorClass.RATE_LIMITED, ErrorClass.MODEL_GONE, ErrorClass.PROVIDER_CREDIT
AUTH, DOUBT, LATER = ErrorClass.AUTH, ErrorClass.AMBIGUOUS, ErrorClass.TRANSIENT
IMAGE = ErrorClass.BAD_IMAGE

# Code, class for a create, class for a question; None: the task is not there.
TABLE = [
    (1000, AUTH, AUTH),
    (1001, AUTH, AUTH),
    (1002, AUTH, AUTH),
    (1003, AUTH, AUTH),
    (1004, AUTH, AUTH),
    (1100, CREDIT, CREDIT),
    (1101, CREDIT, CREDIT),
    (1102, CREDIT, CREDIT),
    (1103, GONE, GONE),
    (1200, REQUEST, REQUEST),
    (1201, REQUEST, None),
    (1202, REQUEST, REQUEST),
    (1203, GONE, None),
    (1300, REFUSED, REFUSED),
    (1301, REFUSED, REFUSED),
    (1302, LIMITED, LIMITED),
    (1303, LIMITED, LIMITED),
    (1304, AUTH, AUTH),
    (5000, DOUBT, LATER),
    (5001, LATER, LATER),
    (5002, DOUBT, LATER),
]


def test_the_table_has_every_documented_code() -> None:
    assert {code for code, _, _ in TABLE} == set(ERRORS)


# Refused tokens are renewed once, so that these are asked with twice.
def sends(code: int) -> int:
    return 2 if code in (1003, 1004) else 1


@pytest.mark.parametrize("status", [0, 200, 500], ids=["documented", "http200", "http500"])
@pytest.mark.parametrize(("code", "expected"), [(code, create) for code, create, _ in TABLE])
def test_a_refused_create_is_classified_by_its_code_whatever_the_status(
    kling: FakeKling, adapter: Make, code: int, expected: ErrorClass, status: int
) -> None:
    words = "The provider's own words."
    kling.cause("error", code=code, status=status, message=words, times=2)
    error = error_of(lambda: adapter().submit(order()))
    assert (error.error_class, error.code, error.message) == (expected, str(code), words)
    assert error.request_id.startswith("req-")
    assert len(kling.requests) == sends(code)
    assert kling.made == []


@pytest.mark.parametrize("status", [0, 200], ids=["documented", "http200"])
@pytest.mark.parametrize(("code", "expected"), [(code, query) for code, _, query in TABLE])
def test_a_refused_question_is_classified_by_its_code(
    kling: FakeKling, adapter: Make, code: int, expected: ErrorClass | None, status: int
) -> None:
    client = adapter()
    client.submit(order())
    kling.requests.clear()
    kling.cause("error", where="query", code=code, status=status, times=2)
    if expected is None:
        assert client.find(order(), sent_at=0.0) is None
    else:
        error = error_of(lambda: client.find(order(), sent_at=0.0))
        assert (error.error_class, error.code) == (expected, str(code))
    assert len(kling.requests) == sends(code)


@pytest.mark.parametrize(
    ("status", "on_create", "on_query"),
    [
        (200, DOUBT, LATER),
        (307, DOUBT, LATER),
        (400, REQUEST, REQUEST),
        (401, AUTH, AUTH),
        (402, CREDIT, CREDIT),
        (403, AUTH, AUTH),
        (404, GONE, None),
        (408, DOUBT, LATER),
        (429, LATER, LATER),
        (500, DOUBT, LATER),
        (502, DOUBT, LATER),
        (503, LATER, LATER),
        (504, DOUBT, LATER),
    ],
)
def test_a_code_of_tomorrow_falls_back_on_the_status(
    kling: FakeKling,
    adapter: Make,
    status: int,
    on_create: ErrorClass,
    on_query: ErrorClass | None,
) -> None:
    client = adapter()
    kling.cause("error", code=7777, status=status)
    kling.cause("error", where="query", code=7777, status=status)
    assert error_of(lambda: client.submit(order())).error_class is on_create
    if on_query is None:
        assert client.find(order(), sent_at=0.0) is None
    else:
        assert error_of(lambda: client.find(order(), sent_at=0.0)).error_class is on_query


@pytest.mark.parametrize(
    ("message", "with_frame", "without"),
    [
        ("Image pixel is invalid", IMAGE, REQUEST),
        ("File format is not supported", IMAGE, REQUEST),
        ("the ratio must be within 1:2.5 and 2.5:1", IMAGE, REQUEST),
        ("image_tail is not supported", IMAGE, REQUEST),
        ("aspect_ratio value '4:5' is invalid", IMAGE, REQUEST),
        ("duration value '7' is invalid", REQUEST, REQUEST),
        ("more information is needed", REQUEST, REQUEST),
    ],
)
def test_a_bad_parameter_is_a_bad_image_when_it_speaks_of_the_one_that_was_sent(
    kling: FakeKling, adapter: Make, message: str, with_frame: ErrorClass, without: ErrorClass
) -> None:
    kling.cause("error", code=1201, message=message, times=2)
    client = adapter()
    assert error_of(lambda: client.submit(image_order())).error_class is with_frame
    assert error_of(lambda: client.submit(order())).error_class is without


def test_a_picture_that_kling_cannot_use_is_a_bad_image(kling: FakeKling, adapter: Make) -> None:
    error = error_of(lambda: adapter().submit(image_order(frame=b"this is no picture")))
    assert error.error_class is IMAGE
    assert kling.made == []


def test_a_full_account_is_waited_for(kling: FakeKling, adapter: Make) -> None:
    kling.slots, kling.render_s = 1, 3600.0
    client = adapter()
    client.submit(order())
    error = error_of(lambda: client.submit(order(external_id="job-2")))
    assert (error.error_class, error.code) == (LIMITED, "1303")
    kling.render_s = 0.0
    assert isinstance(client.submit(order(external_id="job-2")), Upstream)


def test_a_model_that_is_not_there_or_not_switched_on_is_gone(
    kling: FakeKling, adapter: Make
) -> None:
    kling.closed_models.add("kling-v2-6")
    assert error_of(lambda: adapter().submit(order())).code == "1103"
    error = error_of(lambda: adapter(model="kling-v0").submit(order()))
    assert (error.error_class, error.code) == (GONE, "1203")


def test_a_delay_that_is_asked_for_is_passed_on(kling: FakeKling, adapter: Make) -> None:
    kling.cause("error", code=1302, headers={"Retry-After": "7"})
    assert error_of(lambda: adapter().submit(order())).retry_after_s == 7.0


# --- answers that are nonsense ---

UNREADABLE: list[dict[str, Any]] = [
    {"kind": "garbage"},
    {"kind": "html"},
    {"kind": "html", "status": 502},
    {"kind": "empty"},
    {"kind": "truncated"},
    {"kind": "huge"},
    {"kind": "drop_after"},
    {"kind": "odd", "data": None},
    {"kind": "odd", "data": []},
    {"kind": "odd", "data": "812345678901234567"},
    {"kind": "odd", "data": {}},
    {"kind": "odd", "data": {"task_id": 812345678901234567}},
    {"kind": "odd", "data": {"task_id": ""}},
    {"kind": "odd", "data": {"task_id": "../../account/costs"}},
    {"kind": "odd", "data": {"task_id": "8" * 65}},
    {"kind": "odd", "data": {"task_id": "1"}, "status": 500},
]


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_create_that_cannot_be_read_is_in_doubt_and_sent_once(
    kling: FakeKling, adapter: Make, fault: dict[str, Any]
) -> None:
    kling.cause(**fault)
    assert error_of(lambda: adapter().submit(order())).error_class is DOUBT
    assert len(kling.requests) == 1
    assert kling.made_per_external_id() == {"job-1": 1}


@pytest.mark.parametrize("fault", [*UNREADABLE, {"kind": "html", "status": 404}])
def test_a_question_that_cannot_be_read_is_asked_again_later(
    kling: FakeKling, adapter: Make, fault: dict[str, Any]
) -> None:
    client = adapter()
    client.submit(order())
    kling.cause(where="query", **fault)
    assert error_of(lambda: client.find(order(), sent_at=0.0)).error_class is LATER


@pytest.mark.parametrize("kind", ["drop_before", "redirect"])
def test_a_create_without_an_answer_is_in_doubt(kling: FakeKling, adapter: Make, kind: str) -> None:
    kling.cause(kind)
    assert error_of(lambda: adapter().submit(order())).error_class is DOUBT
    assert len(kling.requests) == 1
    assert kling.made == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, AUTH), (403, AUTH), (404, GONE), (413, REQUEST), (429, LATER), (503, LATER)],
)
def test_a_gateway_that_turns_a_create_away_is_believed(
    kling: FakeKling, adapter: Make, status: int, expected: ErrorClass
) -> None:
    kling.cause("html", status=status)
    error = error_of(lambda: adapter().submit(order()))
    assert (error.error_class, error.code) == (expected, f"http_{status}")


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, {"code": True}, {"code": 1.5}])
def test_an_envelope_without_a_code_is_not_klings_own(value: Any) -> None:
    found = Envelope.read(value)
    assert (found.code, found.message, found.request_id, found.data) == (None, "", "", None)


def test_an_envelope_keeps_what_has_its_type() -> None:
    found = Envelope.read({"code": "1303", "message": ["x"], "request_id": 7, "data": [1]})
    assert (found.code, found.message, found.request_id, found.data) == (1303, "", "", [1])


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Failure to pass the risk control system", REFUSED),
        ("The image failed the risk control system", REFUSED),
        ("The prompt holds sensitive words", REFUSED),
        ("Image pixel is invalid", IMAGE),
        ("Service busy", ErrorClass.BAD_RESULT),
        ("", ErrorClass.BAD_RESULT),
    ],
)
def test_a_failed_task_is_final(message: str, expected: ErrorClass) -> None:
    assert class_of_failed_task(message) is expected
    assert expected not in RETRYABLE


def test_fields_of_a_task_are_taken_only_as_what_they_should_be() -> None:
    assert id_of({"task_id": "812345678901234567"}) == "812345678901234567"
    odd: list[Any] = [None, [], {"task_id": 8}, {"task_id": "8/9"}]
    assert [id_of(task) for task in odd] == ["", "", "", ""]
    for url in ("https://x/a.mp4?sig=1", "http://127.0.0.1:1/a.mp4"):
        assert link_of({"task_result": {"videos": [{"url": url}]}}) == url
    for url in ("//x/a.mp4", "https://x/é", "https://x/" + "a" * 9000):
        assert link_of({"task_result": {"videos": [{"url": url}]}}) == ""


# --- what leaves the adapter ---


def test_errors_hold_no_key_no_token_no_prompt_and_no_signed_link(
    kling: FakeKling, adapter: Make
) -> None:
    client = adapter()
    client.submit(order())
    token = kling.requests[0].headers["Authorization"].removeprefix("Bearer ")
    prompt = "Our secret summer launch: a turquoise kite for Brand X"
    message = (
        f"Key {kling.access_key}/{kling.secret_key}, token {token}, sent '{prompt[:40]}' and read "
        "https://cdn.example/a.jpg?sig=s3cret too late"
    )
    for where in ("create", "query"):
        kling.cause("error", where=where, code=1200, message=message)
    one = order(prompt=prompt)
    for error in (
        error_of(lambda: client.submit(one)),
        error_of(lambda: client.find(one, sent_at=0.0)),
    ):
        assert error.message == (
            "Key [key]/[key], token [key], sent '[prompt]' and read "
            "https://cdn.example/a.jpg?[cut] too late"
        )
        for secret in (kling.access_key, kling.secret_key, token, "turquoise", "s3cret"):
            assert secret not in str(error)
            assert secret not in repr(error)
