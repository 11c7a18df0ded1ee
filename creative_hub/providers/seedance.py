"""Seedance 1.0 pro on BytePlus ModelArk: a task is created, then asked about until it has ended.

Source: BytePlus ModelArk API reference, "Video generation API" (create, query, list, and cancel or
delete a task). There is no idempotency key; a task is known again by its `safety_identifier`.
"""

from __future__ import annotations

import base64
import random
import re
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from creative_hub.providers import ark_errors, http
from creative_hub.providers.ark_errors import ArkError
from creative_hub.providers.ark_tasks import MAX_ANSWER_BYTES, ArkTask, TaskApi, task_id_of
from creative_hub.providers.base import (
    RETRYABLE,
    ErrorClass,
    Order,
    Poll,
    ProviderError,
    Recovery,
    Upstream,
    UpstreamState,
)

# Addresses above about 8 KB are refused by common proxies; the host and path take the rest.
MAX_QUERY_CHARS = 7_500
POLL_PAGES = 3
POLL_SINGLES = 5
FIND_PAGES = 4
FIND_SINGLES = 20
# How far the provider's clock may be from ours, in seconds.
CLOCK_SKEW_S = 120.0
KEPT_S = 7 * 24 * 3600.0  # how long a task is listed

# What sending a picture may take on top of the read timeout: it may have 30 MB.
FRAME_EXTRA_S = 60.0
# A task can appear in the list a little after its create call has ended.
SETTLES_S = 15.0

# Options that may stand in the text, with short and long names ("Old style" in the reference).
_FLAG_NAMES = (
    "resolution|rs|ratio|rt|duration|dur|framespersecond|fps|frames|seed|camera[-_]?fixed|cf"
    "|watermark|wm"
)
_FLAG_VALUE = r"[\"'(\[]?(?:[+-]?\.?\d|(?:true|false|adaptive|keep_ratio)\b)\S*"
# The service reads them loosely, so one counts even where it touches a word or its value.
_FLAG = re.compile(
    rf"\s?(?<!-)-{{2,}}(?:{_FLAG_NAMES})(?![^\W\d_])"
    rf"(?:[=:]\S+|[,;]?{_FLAG_VALUE}|\s+{_FLAG_VALUE})?",
    re.IGNORECASE,
)
_DASHED_WORD = re.compile(r"\s?(?<![\w-])-{2,}[A-Za-z][\w-]*(?:[=:]\S*)?")
# Hyphens, dashes and the minus, which whoever reads loosely may take for "-".
_DASHES = frozenset("\u02d7\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d")


def without_flags(prompt: str) -> str:
    """The prompt without options like `--rs 480p`, which would change the clip and its price.

    Documented ones also where they are written with other dashes or with characters that nobody
    sees. An unknown `--word` is taken out alone. Raises ProviderError (BAD_REQUEST) when nothing
    is left.
    """
    text = prompt
    while (shorter := _cut(_DASHED_WORD, _cut(_FLAG, text, dashes=_DASHES))) != text:
        text = shorter
    if not text.strip():
        raise ProviderError(
            ErrorClass.BAD_REQUEST,
            "The prompt holds nothing but options (--…). Describe the clip in words.",
            code="only_flags",
        )
    return prompt if text == prompt else text.strip()


def _cut(pattern: re.Pattern[str], text: str, *, dashes: frozenset[str] = frozenset()) -> str:
    """The text without what matches where dashes are "-" and unseen characters are not there."""
    if text.isascii():
        return pattern.sub("", text)
    seen = [at for at, character in enumerate(text) if not _is_unseen(character)]
    plain = "".join("-" if text[at] in dashes else text[at] for at in seen)
    kept, since = [], 0
    for match in pattern.finditer(plain):
        # From behind the last character seen before it to the first one seen behind it.
        start, end = match.span()
        kept.append(text[since : seen[start - 1] + 1 if start else 0])
        since = seen[end] if end < len(seen) else len(text)
    return "".join((*kept, text[since:]))


def _is_unseen(character: str) -> bool:
    """Zero-width spaces and joiners, soft hyphens, marks of direction."""
    return unicodedata.category(character) == "Cf"


class _Looked(NamedTuple):
    """What a look through the list came upon. is_whole: nothing in the window was left unseen."""

    ours: list[ArkTask]
    unsigned: list[ArkTask]
    is_whole: bool
    is_empty: bool  # not one task of any age


class SeedanceAdapter:
    """Clips from Seedance. Safe to share between threads: it keeps no connection.

    base_url: with the version path, e.g. https://ark.ap-southeast.bytepluses.com/api/v3.
    connect_timeout_s, read_timeout_s: a create without a picture takes at most their sum; so does
    each of `poll`, `find` and `cancel`, however many requests it makes. The resolver comes on top.
    """

    label = "Seedance"
    recovery = Recovery.LOOK_UP
    poll_interval_s = 2.0
    poll_batch = 500
    can_cancel = True

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str = "seedance-1-0-pro-250528",
        resolution: str = "1080p",
        connect_timeout_s: float = 10.0,
        read_timeout_s: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._api = TaskApi(
            base_url=base_url,
            api_key=api_key,
            connect_timeout_s=connect_timeout_s,
            clock=clock,
        )
        self._model = model
        self._resolution = resolution
        self._connect_timeout_s = connect_timeout_s
        self._total_timeout_s = connect_timeout_s + read_timeout_s
        self._clock = clock
        self.submit_limit_s = self._total_timeout_s + FRAME_EXTRA_S + http.RESOLVER_SLACK_S
        self.poll_limit_s = self._total_timeout_s + http.RESOLVER_SLACK_S
        self.find_settles_s = self.submit_limit_s + SETTLES_S

    def submit(self, order: Order) -> Upstream:
        answer = http.ask(
            "POST",
            self._api.url,
            is_create=True,
            body=self._body(order),
            headers={**self._api.headers(), "X-Client-Request-Id": order.external_id},
            connect_timeout_s=self._connect_timeout_s,
            total_timeout_s=self._total_timeout_s + (FRAME_EXTRA_S if order.has_frame else 0.0),
            max_answer_bytes=MAX_ANSWER_BYTES,
        )
        found = answer.parsed()
        has_error = isinstance(found, dict) and found.get("error")
        is_made = 200 <= answer.status < 300 and not has_error
        task_id = task_id_of(found) if is_made else ""
        if not task_id:
            raise self._refused_create(answer, order)
        request_id = answer.headers.get("x-request-id", "")[:120]
        return Upstream(state=UpstreamState.QUEUED, upstream_id=task_id, request_id=request_id)

    def poll(self, jobs: Sequence[Poll]) -> Mapping[str, Upstream | ProviderError]:
        wanted = {job.upstream_id: job for job in jobs if job.upstream_id}
        if not wanted:
            return {}
        until = self._until()
        states: dict[str, Upstream | ProviderError] = {}
        for task in self._listed(frozenset(wanted), until=until):
            if (state := self._state_of(task, wanted[task.id].order)) is not None:
                states[task.id] = state
        missing = [upstream_id for upstream_id in wanted if upstream_id not in states]
        # By lot, so that no job is passed over for ever.
        lot = random.sample(missing, min(len(missing), POLL_SINGLES))
        for upstream_id in lot:
            try:
                single = self._api.task(upstream_id, until=until)
            except ProviderError as error:
                if error.error_class is ErrorClass.RESULT_EXPIRED:
                    states[upstream_id] = error
                elif error.is_retryable:
                    break
                continue
            state = self._state_of(single, wanted[upstream_id].order, is_single=True)
            if state is not None:
                states[upstream_id] = state
        return states

    def find(self, order: Order, *, sent_at: float) -> Upstream | None:
        """By the `safety_identifier` of the tasks made since shortly before the send."""
        if self._clock() - sent_at > KEPT_S:
            raise _cannot_tell("the list does not go back that far")
        until = self._until()
        looked = self._look(order, sent_at=sent_at, model=self._model, until=until)
        if looked.is_empty:
            # Perhaps the filter wants the model in another spelling: no evidence of anything.
            looked = self._look(order, sent_at=sent_at, model="", until=until)
        ours = looked.ours
        unsigned = sorted(looked.unsigned, key=lambda task: _distance_s(task, sent_at))
        is_explained = looked.is_whole and len(unsigned) <= FIND_SINGLES
        # Lists may leave the identifier out; a task asked for by itself shows it.
        for task in [] if ours else unsigned[:FIND_SINGLES]:
            try:
                single = self._api.task(task.id, until=until)
            except ProviderError as error:
                if error.error_class is not ErrorClass.RESULT_EXPIRED:
                    raise
                is_explained = False
                continue
            if single.identifier == order.external_id:
                ours = [single]
                break
            is_explained = is_explained and bool(single.identifier)
        if ours:
            return self._found(ours, order)
        if is_explained:
            return None
        raise _cannot_tell("there are tasks that may be ours or another's")

    def cancel(self, job: Poll) -> bool:
        """True as well when it was cancelled before, as after a lost answer."""
        until = self._until()
        try:
            # A DELETE of a task that has ended would throw its record and its clip away.
            status = self._api.task(job.upstream_id, until=until).status
        except ProviderError as error:
            if error.error_class is ErrorClass.RESULT_EXPIRED:
                return False
            raise
        if status != "queued":
            return status == "cancelled"
        return self._api.delete(job.upstream_id, until=until)

    def collect(self, job: Poll, file: BinaryIO) -> None:
        """Nothing to collect: a clip is behind the link of its task, or gone."""
        raise ProviderError(ErrorClass.RESULT_EXPIRED, "Seedance keeps no result without a link")

    # --- creating ---

    def _body(self, order: Order) -> dict[str, object]:
        content: list[dict[str, object]] = [{"type": "text", "text": without_flags(order.prompt)}]
        if order.has_frame:
            picture = base64.b64encode(order.frame).decode()
            url = f"data:image/jpeg;base64,{picture}"
            content.append({"type": "image_url", "image_url": {"url": url}, "role": "first_frame"})
        return {
            "model": self._model,
            "content": content,
            "resolution": self._resolution,
            "ratio": order.aspect_ratio,
            "duration": order.duration_s,
            "watermark": False,
            "safety_identifier": order.external_id,
        }

    def _refused_create(self, answer: http.Answer, order: Order) -> ProviderError:
        refusal = self._api.refusal(
            answer, is_create=True, has_image=order.has_frame, prompt=order.prompt
        )
        is_doubtful = refusal.error_class in (ErrorClass.TRANSIENT, ErrorClass.BAD_RESULT)
        if answer.status < 300 and is_doubtful:
            # "Yes", but no task, and no plain refusal either: only a look tells what became of it.
            return ProviderError(
                ErrorClass.AMBIGUOUS,
                refusal.message,
                code=refusal.code,
                request_id=refusal.request_id,
            )
        return refusal

    # --- asking ---

    def _listed(self, wanted: frozenset[str], *, until: float) -> list[ArkTask]:
        """The wanted tasks as lists show them; few ids are named, of many the newest are paged."""
        named = [("filter.task_ids", upstream_id) for upstream_id in wanted]
        if sum(len(name) + len(value) + 2 for name, value in named) <= MAX_QUERY_CHARS:
            page = self._api.page(1, named, until=until)
            return [task for task in page.tasks if task.id in wanted]
        found: dict[str, ArkTask] = {}
        filters, number = [("filter.model", self._model)], 1
        for request in range(POLL_PAGES):
            try:
                page = self._api.page(number, filters, until=until)
            except ProviderError:
                if request == 0:
                    raise
                break
            found.update((task.id, task) for task in page.tasks if task.id in wanted)
            if filters and not page.size:
                filters = []  # perhaps it wants the model in another spelling
                continue
            if page.is_last or len(found) == len(wanted):
                break
            number += 1
        return list(found.values())

    def _look(self, order: Order, *, sent_at: float, model: str, until: float) -> _Looked:
        since = sent_at - CLOCK_SKEW_S
        filters = [("filter.model", model)] if model else []
        ours: list[ArkTask] = []
        unsigned: list[ArkTask] = []
        is_readable = True
        for number in range(1, FIND_PAGES + 1):
            page = self._api.page(number, filters, until=until)
            is_readable = is_readable and len(page.tasks) == page.size
            for task in page.tasks:
                if task.created_at is not None and task.created_at < since:
                    continue
                if task.identifier == order.external_id:
                    ours.append(task)
                elif not task.identifier:
                    unsigned.append(task)
            if page.is_last or page.ends_before(since):
                is_empty = number == 1 and not page.size
                return _Looked(ours, unsigned, is_whole=is_readable, is_empty=is_empty)
        return _Looked(ours, unsigned, is_whole=False, is_empty=False)

    def _found(self, ours: Sequence[ArkTask], order: Order) -> Upstream:
        """One that has not failed, if there are several; what it failed of is for `poll` to say."""
        states = [(task, self._state_of(task, order)) for task in ours]
        for _, state in states:
            if isinstance(state, Upstream):
                return state
        return Upstream(state=UpstreamState.RUNNING, upstream_id=states[0][0].id)

    def _state_of(
        self, task: ArkTask, order: Order, *, is_single: bool = False
    ) -> Upstream | ProviderError | None:
        """None: it says nothing that can be used; a list may also leave the link out."""
        match task.status:
            case "queued":
                return Upstream(state=UpstreamState.QUEUED, upstream_id=task.id)
            case "running":
                return Upstream(state=UpstreamState.RUNNING, upstream_id=task.id)
            case "succeeded" if task.video_url:
                return Upstream(
                    state=UpstreamState.SUCCEEDED, upstream_id=task.id, result_url=task.video_url
                )
            case "succeeded" if is_single:
                return ProviderError(
                    ErrorClass.BAD_RESULT, "the task holds no usable link", code="no_link"
                )
            case "failed":
                return self._failure(task, order)
            case "expired" | "cancelled" as status:
                return ProviderError(ErrorClass.BAD_RESULT, f"the task was {status}", code=status)
        return None

    def _failure(self, task: ArkTask, order: Order) -> ProviderError:
        error = task.error or ArkError(code="failed")
        found = ark_errors.class_of(error, status=200, is_create=False, has_image=order.has_frame)
        if found in RETRYABLE or found is ErrorClass.AMBIGUOUS:
            found = ErrorClass.BAD_RESULT  # the task has ended: asking again changes nothing
        message = error.message or "the task failed and does not say why"
        return ProviderError(
            found,
            self._api.scrubbed(message, prompt=order.prompt),
            code=error.code,
            request_id=error.request_id,
        )

    def _until(self) -> float:
        return time.monotonic() + self._total_timeout_s


def _cannot_tell(why: str) -> ProviderError:
    return ProviderError(ErrorClass.AMBIGUOUS, f"looking cannot tell: {why}", code="not_told")


def _distance_s(task: ArkTask, moment: float) -> float:
    return 0.0 if task.created_at is None else abs(task.created_at - moment)
