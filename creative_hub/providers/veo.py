"""Veo 3.1 on Vertex AI: an operation makes one clip, into a bucket of ours or into its answer.

Source: Vertex AI documentation, "Veo video generation API" (predictLongRunning and
fetchPredictOperation), and the Cloud Storage JSON API (objects.list, objects.get).

There is no client id and no idempotency key. With a bucket each job writes below a prefix of its
own, so a clip whose start was lost can still be found there; without one it cannot. A clip that
is not there yet may still come: Veo takes up to six minutes, and nothing lists what is running.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO
from urllib.parse import quote

from creative_hub.providers import http, veo_errors
from creative_hub.providers.base import (
    ErrorClass,
    Order,
    Poll,
    ProviderError,
    Recovery,
    Upstream,
    UpstreamState,
)
from creative_hub.providers.google_token import TOKEN_LIMIT_S

# A start is answered with a name; a list of one job's objects is a few kilobytes.
MAX_START_BYTES = 64 * 1024
MAX_LIST_BYTES = 1024 * 1024
MAX_POLL_BYTES = 256 * 1024
# A clip inside an answer: 8 s at 720p are about 10 MB, a third more as base64.
MAX_INLINE_BYTES = 64 * 1024 * 1024
MAX_CLIP_BYTES = 512 * 1024 * 1024
BASE64_PIECE_CHARS = 256 * 1024  # a multiple of 4

POLL_THREADS = 8
# The engine leases a job for 120 s while it stores the result; the resolver may add its slack.
COLLECT_TOTAL_S = 85.0
# Clips take up to six minutes ("Latency" in the Veo model card), then they are in the bucket.
BUCKET_SETTLES_S = 600.0
# Below this there is no use in beginning another request, in seconds.
_LEAST_S = 0.1

_OPERATION = re.compile(
    r"projects/[a-z0-9][a-z0-9.:_-]{0,99}/locations/[a-z0-9][a-z0-9-]{0,63}"
    r"/publishers/google/models/(?P<model>[a-z0-9][a-z0-9.-]{0,99})"
    r"/operations/[A-Za-z0-9_-]{1,128}"
)
_STORAGE_URI = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?P<prefix>/.*)?")


class VeoAdapter:
    """Clips from Veo. Safe to share between threads: it keeps no connection.

    base_url: without the version, e.g. https://us-central1-aiplatform.googleapis.com. token: gives
    an OAuth access token within token_limit_s seconds, or raises ProviderError. storage_uri:
    gs://bucket/prefix, or empty to take clips from the answers themselves.
    connect_timeout_s, read_timeout_s: one request takes at most their sum.
    """

    label = "Veo"
    recovery = Recovery.LOOK_ONLY
    poll_interval_s = 10.0
    poll_batch = 64
    can_cancel = False

    def __init__(
        self,
        *,
        base_url: str,
        project: str,
        location: str = "us-central1",
        model: str = "veo-3.1-generate-001",
        token: Callable[[], str],
        token_limit_s: float = TOKEN_LIMIT_S,
        storage_uri: str = "",
        storage_base_url: str = "https://storage.googleapis.com",
        connect_timeout_s: float = 10.0,
        read_timeout_s: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._models_url = (
            f"{base_url.rstrip('/')}/v1/projects/{project}/locations/{location}"
            "/publishers/google/models/"
        )
        self._model = model
        self._token, self._token_limit_s = token, token_limit_s
        self._bucket, self._prefix = _bucket_and_prefix(storage_uri.rstrip("/"))
        self._bucket_url = f"{storage_base_url.rstrip('/')}/storage/v1/b/{self._bucket}/o"
        self._connect_timeout_s = connect_timeout_s
        self._total_timeout_s = connect_timeout_s + read_timeout_s
        self._clock = clock
        self.find_settles_s = BUCKET_SETTLES_S if self._bucket else 0.0
        one_call_s = self._total_timeout_s + http.RESOLVER_SLACK_S
        self.submit_limit_s = token_limit_s + 2 * one_call_s  # personGeneration may be refused
        self.poll_limit_s = token_limit_s + one_call_s

    def submit(self, order: Order) -> Upstream:
        body = self._body(order)
        token = self._fresh_token()
        answer = self._start(body, token)
        error = veo_errors.of_answer(answer)
        is_person_setting = error is not None and error.names_person_setting
        if answer.status == 400 and is_person_setting and order.has_frame:
            # What it takes differs by country. Nothing was ordered, and its own default will do.
            del body["parameters"]["personGeneration"]
            answer = self._start(body, token)
        if answer.status != 200:
            raise self._refusal(answer, order, token, is_create=True)
        found = answer.parsed()
        name = found.get("name") if isinstance(found, dict) else None
        if isinstance(name, str) and _OPERATION.fullmatch(name):
            return Upstream(state=UpstreamState.QUEUED, upstream_id=name)
        flaw = answer.flaw or "it names no operation"
        raise ProviderError(
            ErrorClass.AMBIGUOUS, f"unreadable answer to a start: {flaw}", code="http_200"
        )

    def poll(self, jobs: Sequence[Poll]) -> Mapping[str, Upstream | ProviderError]:
        if not jobs:
            return {}
        token = self._fresh_token()
        until = time.monotonic() + self._total_timeout_s

        def asked(job: Poll) -> Upstream | ProviderError | _Unanswered | None:
            try:
                return self._stand_of(job, token, until)
            except ProviderError as error:
                return _Unanswered(error)

        with ThreadPoolExecutor(max_workers=min(POLL_THREADS, len(jobs))) as pool:
            found = list(zip(jobs, pool.map(asked, jobs), strict=True))
        stands = {
            job.upstream_id: stand
            for job, stand in found
            if isinstance(stand, Upstream | ProviderError)
        }
        failures = [stand.error for _, stand in found if isinstance(stand, _Unanswered)]
        if not stands and len({error.error_class for error in failures}) == 1:
            raise failures[0]
        return stands

    def find(self, order: Order, *, sent_at: float) -> Upstream | None:
        """Look into the job's own part of the bucket. Finding nothing there proves nothing."""
        if not self._bucket:
            raise ProviderError(ErrorClass.AMBIGUOUS, "without a bucket nothing can be looked up")
        token = self._fresh_token()
        until = time.monotonic() + self._total_timeout_s
        if not self._object_of(order, token, until):
            raise ProviderError(ErrorClass.AMBIGUOUS, "nothing in the bucket yet")
        return Upstream(state=UpstreamState.SUCCEEDED)

    def cancel(self, job: Poll) -> bool:
        """Never: Veo documents no way to stop an operation."""
        return False

    def collect(self, job: Poll, file: BinaryIO) -> None:
        until = time.monotonic() + COLLECT_TOTAL_S
        token = self._fresh_token()
        name = self._object_of(job.order, token, until) if self._bucket else ""
        if name:
            self._download(name, job.order, token, until, file)
        elif job.upstream_id:
            # Started when no bucket was set up, perhaps; then the clip is in the answer.
            self._unpack(job, token, until, file)
        else:
            raise ProviderError(ErrorClass.RESULT_EXPIRED, "the clip is not in the bucket any more")

    # --- starting ---

    def _body(self, order: Order) -> dict[str, Any]:
        if order.duration_s is None:
            raise ProviderError(ErrorClass.BAD_REQUEST, "a clip needs a length")
        if order.has_frame and not order.frame:
            raise ProviderError(ErrorClass.BAD_IMAGE, "the start picture is missing")
        instance: dict[str, Any] = {"prompt": order.prompt}
        parameters: dict[str, Any] = {
            "aspectRatio": order.aspect_ratio,
            # A number: the documentation's own examples show a string, which is refused.
            "durationSeconds": order.duration_s,
            "resolution": "720p",
            "sampleCount": 1,
        }
        if order.has_frame:
            encoded = base64.b64encode(order.frame).decode()
            instance["image"] = {"bytesBase64Encoded": encoded, "mimeType": "image/jpeg"}
            # Accepted with a picture only; a text alone is taken with the default.
            parameters["personGeneration"] = "allow_adult"
        if self._bucket:
            parameters["storageUri"] = f"gs://{self._bucket}/{self._prefix_of(order)}"
        return {"instances": [instance], "parameters": parameters}

    def _start(self, body: Mapping[str, Any], token: str) -> http.Answer:
        return self._asked(
            "POST",
            f"{self._models_url}{self._model}:predictLongRunning",
            token,
            time.monotonic() + self._total_timeout_s,
            is_create=True,
            body=body,
            max_answer_bytes=MAX_START_BYTES,
        )

    # --- operations ---

    def _stand_of(self, job: Poll, token: str, until: float) -> Upstream | ProviderError | None:
        """How one job stands; None when there was no time to ask. Raises when asking failed."""
        if until - time.monotonic() < _LEAST_S:
            return None
        answer = self._operation(job, token, until, max_answer_bytes=MAX_POLL_BYTES)
        if answer.status == 200 and answer.is_too_large:
            # Only a clip makes an answer this large. `collect` asks again and reads it whole.
            return Upstream(state=UpstreamState.SUCCEEDED, upstream_id=job.upstream_id)
        if answer.status == 404:
            forgotten = self._refusal(answer, job.order, token, is_create=False)
            if forgotten.error_class is ErrorClass.RESULT_EXPIRED:
                return forgotten
        stand = self._outcome(self._read(answer, job.order, token), job.order, token)
        if isinstance(stand, ProviderError):
            return stand
        state = UpstreamState.RUNNING if stand is None else UpstreamState.SUCCEEDED
        return Upstream(state=state, upstream_id=job.upstream_id)

    def _operation(
        self, job: Poll, token: str, until: float, *, max_answer_bytes: int
    ) -> http.Answer:
        named = _OPERATION.fullmatch(job.upstream_id)
        if named is None:
            raise ProviderError(ErrorClass.BAD_REQUEST, "the job's id names no operation")
        return self._asked(
            "POST",
            # By the model it was started with, which may not be the one of today.
            f"{self._models_url}{named['model']}:fetchPredictOperation",
            token,
            until,
            body={"operationName": job.upstream_id},
            max_answer_bytes=max_answer_bytes,
        )

    def _outcome(
        self, operation: Mapping[str, Any], order: Order, token: str
    ) -> list[Mapping[str, Any]] | ProviderError | None:
        """The videos of an operation, or why it has none; None while it runs."""
        if operation.get("done") is not True:
            return None
        response = operation.get("response")
        videos = _dicts(response.get("videos")) if isinstance(response, dict) else []
        videos = [one for one in videos if one.get("gcsUri") or one.get("bytesBase64Encoded")]
        if videos and not operation.get("error"):
            return videos
        return veo_errors.of_ended(operation, order=order, token=token)

    def _unpack(self, job: Poll, token: str, until: float, file: BinaryIO) -> None:
        """Write the clip that is inside an operation's answer."""
        answer = self._operation(job, token, until, max_answer_bytes=MAX_INLINE_BYTES)
        if answer.is_too_large:
            raise ProviderError(ErrorClass.BAD_RESULT, answer.flaw)
        videos = self._outcome(self._read(answer, job.order, token), job.order, token)
        if isinstance(videos, ProviderError):
            raise videos
        if videos is None:
            raise ProviderError(ErrorClass.TRANSIENT, "the operation has not ended yet")
        encoded = videos[0].get("bytesBase64Encoded")
        if not isinstance(encoded, str) or not encoded:
            raise ProviderError(ErrorClass.RESULT_EXPIRED, "the clip is not where we look")
        try:
            for start in range(0, len(encoded), BASE64_PIECE_CHARS):
                piece = encoded[start : start + BASE64_PIECE_CHARS]
                file.write(base64.b64decode(piece, validate=True))
        except (binascii.Error, ValueError) as error:
            raise ProviderError(ErrorClass.BAD_RESULT, "the clip is not base64") from error

    # --- the bucket ---

    def _prefix_of(self, order: Order) -> str:
        """What the names of a job's own objects begin with; ends with a slash."""
        return f"{self._prefix}{order.external_id}/"

    def _object_of(self, order: Order, token: str, until: float) -> str:
        """The name of the clip below the job's own prefix, empty when there is none."""
        prefix = self._prefix_of(order)
        answer = self._asked(
            "GET",
            self._bucket_url,
            token,
            until,
            params=[("prefix", prefix)],
            max_answer_bytes=MAX_LIST_BYTES,
        )
        names = (item.get("name") for item in _dicts(self._read(answer, order, token).get("items")))
        ours = (name for name in names if isinstance(name, str) and name.startswith(prefix))
        return next((name for name in sorted(ours) if name.endswith(".mp4")), "")

    def _download(self, name: str, order: Order, token: str, until: float, file: BinaryIO) -> None:
        answer = self._asked(
            "GET",
            f"{self._bucket_url}/{quote(name, safe='')}",
            token,
            until,
            params=[("alt", "media")],
            max_answer_bytes=MAX_CLIP_BYTES,
            file=file,
        )
        if answer.status == 404:
            # In plain words here, not in an error object.
            raise ProviderError(ErrorClass.RESULT_EXPIRED, "the clip is gone", code="http_404")
        if answer.status != 200:
            raise self._refusal(answer, order, token, is_create=False)
        if answer.flaw:
            found = ErrorClass.BAD_RESULT if answer.is_too_large else ErrorClass.TRANSIENT
            raise ProviderError(found, f"the clip did not come whole: {answer.flaw}")

    # --- every request ---

    def _fresh_token(self) -> str:
        began = time.monotonic()
        token = self._token()
        if time.monotonic() - began > self._token_limit_s:
            # The lease of whoever called us is running out: a start now might be a second one.
            raise ProviderError(ErrorClass.TRANSIENT, "the token came too late", code="token_late")
        return token

    def _asked(
        self,
        method: str,
        url: str,
        token: str,
        until: float,
        *,
        is_create: bool = False,
        **how: Any,
    ) -> http.Answer:
        left_s = max(until - time.monotonic(), _LEAST_S)
        return http.ask(
            method,
            url,
            is_create=is_create,
            headers={"Authorization": f"Bearer {token}"},
            connect_timeout_s=min(self._connect_timeout_s, left_s),
            total_timeout_s=left_s,
            **how,
        )

    def _read(self, answer: http.Answer, order: Order, token: str) -> Mapping[str, Any]:
        """The object a question was answered with. Raises ProviderError when it was not."""
        if answer.status != 200:
            raise self._refusal(answer, order, token, is_create=False)
        found = answer.parsed()
        if not isinstance(found, dict):
            flaw = answer.flaw or "it is not a JSON object"
            raise ProviderError(ErrorClass.TRANSIENT, f"unreadable answer: {flaw}", code="http_200")
        return found

    def _refusal(
        self, answer: http.Answer, order: Order, token: str, *, is_create: bool
    ) -> ProviderError:
        now = self._clock()
        return veo_errors.refusal(answer, order=order, token=token, is_create=is_create, now=now)


class _Unanswered:
    """A question that failed: it says nothing of the job."""

    def __init__(self, error: ProviderError) -> None:
        self.error = error


def _bucket_and_prefix(storage_uri: str) -> tuple[str, str]:
    """The bucket, and what names of ours begin with: "clips/" or nothing. ValueError if odd."""
    if not storage_uri:
        return "", ""
    found = _STORAGE_URI.fullmatch(storage_uri)
    if found is None:
        raise ValueError("storage_uri must look like gs://bucket/prefix")
    prefix = (found["prefix"] or "").lstrip("/")
    return found["bucket"], f"{prefix}/" if prefix else ""


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
