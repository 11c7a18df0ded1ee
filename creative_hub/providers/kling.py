"""Kling 2.6 through its /v1/videos endpoints: tasks that are created, listed and looked up.

Source: Kling AI open platform, API reference ("Authentication", "Text to video", "Image to
video"). Our own id goes along as external_task_id, which is unique inside the account: a task can
be looked up by it, and the same order is never taken twice.
"""

from __future__ import annotations

import base64
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import quote

import jwt

from creative_hub.providers import http, kling_errors
from creative_hub.providers.base import (
    ErrorClass,
    Order,
    Poll,
    ProviderError,
    Recovery,
    Upstream,
    UpstreamState,
)
from creative_hub.providers.kling_errors import Envelope, id_of, link_of, state_of, text_of

PROMPT_MAX_CHARS = 2500

TOKEN_LIFE_S = 1800
# How far a token's validity begins before now, for clocks that differ a little.
TOKEN_BACKDATE_S = 5
TOKEN_MIN_LEFT_S = 60

TEXT, IMAGE = "text2video", "image2video"
# Most tasks on one page of a list, by the reference.
PAGE_SIZE = 500
# A poll looks through this many pages of each kind, then asks for so many tasks one by one.
PAGES_MAX = 4
SINGLES_MAX = 5
# Before a task that "already exists" is looked up.
DUPLICATE_WAIT_S = 2.0

# One task is about 1 KB with its link.
MAX_ANSWER_BYTES = 1024 * 1024
MAX_LIST_BYTES = 16 * 1024 * 1024


def bearer_token(*, access_key: str, secret_key: str, now: int) -> str:
    """A token for TOKEN_LIFE_S seconds from `now` (Unix time). Raises ProviderError (AUTH)."""
    claims = {"iss": access_key, "exp": now + TOKEN_LIFE_S, "nbf": now - TOKEN_BACKDATE_S}
    try:
        return jwt.encode(claims, secret_key, algorithm="HS256")
    except jwt.PyJWTError as error:
        raise ProviderError(
            ErrorClass.AUTH, "the secret key cannot sign a token", code="unusable_key"
        ) from error


class _Tokens:
    """One token for all threads, made anew before it expires."""

    def __init__(self, *, access_key: str, secret_key: str, clock: Callable[[], float]) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._expires_at = 0

    def current(self, *, refused: str = "") -> str:
        """refused: a token that Kling would not take; it is not given out again by this call."""
        now = int(self._clock())
        with self._lock:
            # A clock that was put back leaves a token that is not valid yet.
            is_fresh = TOKEN_MIN_LEFT_S <= self._expires_at - now <= TOKEN_LIFE_S
            if not is_fresh or self._token == refused:
                self._token = bearer_token(
                    access_key=self._access_key, secret_key=self._secret_key, now=now
                )
                self._expires_at = now + TOKEN_LIFE_S
            return self._token


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Request:
    """One call. limit_s: for this call alone; it also ends at the deadline of the whole."""

    method: str
    path: str
    limit_s: float
    max_answer_bytes: int = MAX_ANSWER_BYTES
    body: Mapping[str, object] | None = None
    params: Sequence[tuple[str, str]] = ()
    prompt: str = ""

    @property
    def is_create(self) -> bool:
        return self.method == "POST"

    @property
    def has_image(self) -> bool:
        return self.body is not None and "image" in self.body


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Reply:
    """token: the one it was asked with, which its words may repeat."""

    request: _Request
    answer: http.Answer
    envelope: Envelope
    token: str

    @property
    def is_good(self) -> bool:
        return self.answer.status == 200 and self.envelope.code == kling_errors.OK


class KlingAdapter:
    """Clips from Kling. Safe to share between threads: it keeps no connection, only a token.

    base_url: e.g. https://api-singapore.klingai.com; keys belong to one region. mode: "std" (720p)
    or "pro" (1080p). read_timeout_s, create_timeout_s: a read and a create (with its picture) take
    at most this and connect_timeout_s together, plus what the resolver takes.
    """

    label = "Kling"
    recovery = Recovery.LOOK_UP
    poll_interval_s = 2.0
    poll_batch = PAGE_SIZE
    find_settles_s = 10.0
    can_cancel = False

    def __init__(
        self,
        *,
        base_url: str,
        access_key: str,
        secret_key: str,
        model: str = "kling-v2-6",
        mode: str = "pro",
        connect_timeout_s: float = 10.0,
        read_timeout_s: float = 30.0,
        create_timeout_s: float = 60.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._secrets = (access_key, secret_key)
        self._tokens = _Tokens(access_key=access_key, secret_key=secret_key, clock=clock)
        self._model = model
        self._mode = mode
        self._connect_timeout_s = connect_timeout_s
        self._read_s = connect_timeout_s + read_timeout_s
        self._create_s = connect_timeout_s + create_timeout_s
        self._clock = clock
        self._sleep = sleep
        # Each call is cut at the end of the whole, so only the last one can wait for a resolver.
        self._submit_s = self._create_s + DUPLICATE_WAIT_S + self._read_s
        self._poll_s = 2 * self._read_s
        self.submit_limit_s = self._submit_s + http.RESOLVER_SLACK_S
        self.poll_limit_s = self._poll_s + http.RESOLVER_SLACK_S

    def submit(self, order: Order) -> Upstream:
        until = time.monotonic() + self._submit_s
        request = _Request(
            method="POST",
            path=f"/v1/videos/{_kind(order)}",
            limit_s=self._create_s,
            body=self._body(order),
            prompt=order.prompt,
        )
        reply = self._exchange(request, until=until)
        if reply.is_good:
            return self._adopted(reply)
        if kling_errors.is_duplicate(reply.envelope):
            return self._taken_before(order, self._refusal(reply), until=until)
        raise self._refusal(reply)

    def poll(self, jobs: Sequence[Poll]) -> Mapping[str, Upstream | ProviderError]:
        """By lists, however many jobs; then one by one for a few that no list has shown."""
        until = time.monotonic() + self._poll_s
        answers: dict[str, Upstream | ProviderError] = {}
        unseen: list[Poll] = []
        failure: ProviderError | None = None
        for kind in (TEXT, IMAGE):
            wanted = {job.upstream_id: job for job in jobs if _kind(job.order) == kind}
            try:
                self._look_through(kind, wanted, answers, until=until)
            except ProviderError as error:
                failure = error
            else:
                unseen += wanted.values()
        # Drawn by lot, so that no job is passed over for ever.
        for job in random.sample(unseen, min(SINGLES_MAX, len(unseen))):
            try:
                name = job.upstream_id or job.order.external_id
                reply = self._looked_up(name, job.order, until=until)
            except ProviderError as error:
                failure = error
                continue
            told = _gone(job) if reply is None else self._standing(reply.envelope.data, job)
            answers.update(told)
        if failure is not None and not answers:
            raise failure
        return answers

    def find(self, order: Order, *, sent_at: float) -> Upstream | None:
        until = time.monotonic() + self._read_s
        reply = self._looked_up(order.external_id, order, until=until)
        return None if reply is None else self._adopted(reply)

    def cancel(self, job: Poll) -> bool:
        """Never: Kling has no such call."""
        return False

    def collect(self, job: Poll, file: BinaryIO) -> None:
        """Nothing to collect: Kling hands out links only."""
        raise ProviderError(ErrorClass.RESULT_EXPIRED, "Kling keeps no result without a link")

    # --- orders ---

    def _body(self, order: Order) -> Mapping[str, object]:
        if len(order.prompt) > PROMPT_MAX_CHARS:
            raise ProviderError(
                ErrorClass.BAD_REQUEST,
                f"Kling takes prompts of at most {PROMPT_MAX_CHARS} characters; "
                f"this one has {len(order.prompt)}",
                code="prompt_too_long",
            )
        if order.has_frame and not order.frame:
            raise ProviderError(ErrorClass.BAD_IMAGE, "the start frame is empty", code="no_frame")
        body: dict[str, object] = {
            "model_name": self._model,
            "prompt": order.prompt,
            "mode": self._mode,
            "duration": str(order.duration_s),
            "sound": "off",
            "external_task_id": order.external_id,
        }
        if order.has_frame:
            # Bare: a data: prefix is refused. The clip takes the ratio of its picture.
            body["image"] = base64.b64encode(order.frame).decode()
        else:
            body["aspect_ratio"] = order.aspect_ratio
        return body

    def _taken_before(self, order: Order, refusal: ProviderError, *, until: float) -> Upstream:
        """The task that an earlier send of this order has made. Raises ProviderError: AMBIGUOUS."""
        self._sleep(DUPLICATE_WAIT_S)
        try:
            reply = self._looked_up(order.external_id, order, until=until)
            if reply is not None:
                return self._adopted(reply)
        except ProviderError as error:
            refusal = error
        message = f"taken before, but not found: {refusal.message}"
        raise ProviderError(ErrorClass.AMBIGUOUS, message, code=refusal.code) from refusal

    def _adopted(self, reply: _Reply) -> Upstream:
        """The task of an answer as ours, whatever became of it: the next poll tells."""
        task = reply.envelope.data
        upstream_id = id_of(task)
        if not upstream_id:
            raise self._refusal(reply, message="the answer holds no task")
        state = state_of(task)
        return Upstream(
            state=UpstreamState.QUEUED if state is UpstreamState.QUEUED else UpstreamState.RUNNING,
            upstream_id=upstream_id,
            request_id=reply.envelope.request_id[:120],
        )

    # --- questions ---

    def _look_through(
        self,
        kind: str,
        wanted: dict[str, Poll],
        answers: dict[str, Upstream | ProviderError],
        *,
        until: float,
    ) -> None:
        """Move the jobs that the newest tasks of a kind tell about from `wanted` to `answers`."""
        for page in range(1, PAGES_MAX + 1):
            if not wanted:
                return
            request = _Request(
                method="GET",
                path=f"/v1/videos/{kind}",
                params=[("pageNum", str(page)), ("pageSize", str(PAGE_SIZE))],
                limit_s=self._read_s,
                max_answer_bytes=MAX_LIST_BYTES,
            )
            reply = self._exchange(request, until=until)
            if not reply.is_good:
                raise self._refusal(reply)
            tasks = reply.envelope.data
            if not isinstance(tasks, list):
                raise self._refusal(reply, message="the answer holds no list")
            for task in tasks:
                job = wanted.pop(task_id, None) if (task_id := id_of(task)) else None
                if job is not None:
                    answers.update(self._standing(task, job))
            if len(tasks) < PAGE_SIZE:
                return

    def _looked_up(self, task_or_external_id: str, order: Order, *, until: float) -> _Reply | None:
        """The answer about one task; None when Kling has none. Raises ProviderError."""
        request = _Request(
            method="GET",
            path=f"/v1/videos/{_kind(order)}/{quote(task_or_external_id, safe='')}",
            limit_s=self._read_s,
            prompt=order.prompt,
        )
        reply = self._exchange(request, until=until)
        if not reply.is_good:
            if kling_errors.is_not_there(reply.envelope, status=reply.answer.status):
                return None
            raise self._refusal(reply)
        if not id_of(reply.envelope.data):
            raise self._refusal(reply, message="the answer holds no task")
        return reply

    def _standing(self, task: Any, job: Poll) -> dict[str, Upstream | ProviderError]:
        """What a task says of its job; nothing when its status is none that we know."""
        if text_of(task, "task_status") == "failed":
            message = text_of(task, "task_status_msg")
            words = self._scrubbed(message or "the task failed", prompt=job.order.prompt)
            why = kling_errors.class_of_failed_task(message)
            return {job.upstream_id: ProviderError(why, words, code="task_failed")}
        state = state_of(task)
        if state is None:
            return {}
        url = link_of(task) if state is UpstreamState.SUCCEEDED else ""
        if state is UpstreamState.SUCCEEDED and not url:
            flaw = ProviderError(ErrorClass.BAD_RESULT, "no usable link", code="no_link")
            return {job.upstream_id: flaw}
        return {job.upstream_id: Upstream(state=state, upstream_id=job.upstream_id, result_url=url)}

    # --- calls ---

    def _exchange(self, request: _Request, *, until: float) -> _Reply:
        """Ask, and once more with a new token if it was the token. until: of time.monotonic()."""
        reply = self._ask(request, token=self._tokens.current(), until=until)
        if not kling_errors.is_token_stale(reply.envelope):
            return reply
        # Whoever is not let in has ordered nothing, so this is no second order.
        token = self._tokens.current(refused=reply.token)
        return self._ask(request, token=token, until=until)

    def _ask(self, request: _Request, *, token: str, until: float) -> _Reply:
        total_s = min(request.limit_s, until - time.monotonic())
        if total_s <= 0:
            raise ProviderError(ErrorClass.TRANSIENT, "no time left to ask", code="no_time")
        answer = http.ask(
            request.method,
            self._base_url + request.path,
            is_create=request.is_create,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=request.body,
            params=request.params,
            connect_timeout_s=min(self._connect_timeout_s, total_s),
            total_timeout_s=total_s,
            max_answer_bytes=request.max_answer_bytes,
        )
        found = Envelope.read(answer.parsed())
        return _Reply(request=request, answer=answer, envelope=found, token=token)

    def _refusal(self, reply: _Reply, *, message: str = "") -> ProviderError:
        answer, envelope = reply.answer, reply.envelope
        words = message or envelope.message or answer.flaw or f"HTTP {answer.status}"
        return ProviderError(
            kling_errors.class_of(
                envelope,
                status=answer.status,
                is_create=reply.request.is_create,
                has_image=reply.request.has_image,
            ),
            self._scrubbed(words, reply.token, prompt=reply.request.prompt),
            code=str(envelope.code) if envelope.code else f"http_{answer.status}",
            request_id=envelope.request_id or answer.headers.get("x-request-id", ""),
            retry_after_s=http.retry_after_s(answer.headers, now=self._clock()),
        )

    def _scrubbed(self, text: str, *more_secrets: str, prompt: str) -> str:
        return http.scrubbed(text, secrets=[*more_secrets, *self._secrets], prompt=prompt)


def _kind(order: Order) -> str:
    return IMAGE if order.has_frame else TEXT


def _gone(job: Poll) -> dict[str, Upstream | ProviderError]:
    gone = ProviderError(ErrorClass.RESULT_EXPIRED, "Kling has no such task", code="no_task")
    return {job.upstream_id: gone}
