"""What Kling accepts and how its answers look, as documented for kling-v2-6 under /v1/videos."""

import base64
import binascii
import io
import secrets
from dataclasses import dataclass
from typing import Any

import jwt
from PIL import Image

from tests.providers.fakes.kling_faults import ERRORS, FAILURES

KINDS = ("text2video", "image2video")
MODELS = {"kling-v2-6"}
PROMPT_MAX_CHARS = 2500
IMAGE_MAX_BYTES = 10 * 1024 * 1024
IMAGE_MIN_SIDE = 300
TEXT_SIZES = {"16:9": (1280, 720), "9:16": (720, 1280), "1:1": (960, 960)}

_SHARED: dict[str, type] = {
    "model_name": str, "prompt": str, "negative_prompt": str, "mode": str, "duration": str,
    "sound": str, "watermark_info": dict, "callback_url": str, "external_task_id": str,
}  # fmt: skip
_FIELDS: dict[str, dict[str, type]] = {
    "text2video": {**_SHARED, "aspect_ratio": str},
    "image2video": {**_SHARED, "image": str, "image_tail": str, "voice_list": list},
}
_CHOICES = {
    "mode": {"std", "pro"},
    "duration": {"5", "10"},
    "sound": {"on", "off"},
    "aspect_ratio": set(TEXT_SIZES),
}


class Refused(Exception):
    def __init__(self, code: int, message: str = "", *, status: int = 0) -> None:
        usual_status, usual = ERRORS.get(code, (500, "Unknown error"))
        super().__init__(message or usual)
        self.code, self.message, self.status = code, message or usual, status or usual_status


@dataclass(slots=True, kw_only=True)
class Request:
    """One call of the API as it came in. path: without the query."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None
    status: int = 0  # what it was answered with; 0 when the answer was withheld
    was_made: bool = False  # a task was made, and would be billed

    @property
    def external_id(self) -> str:
        return self.body.get("external_task_id", "") if isinstance(self.body, dict) else ""


@dataclass(slots=True, kw_only=True)
class Task:
    """One clip. fault: what becomes of it or of its file; empty when all is well."""

    task_id: str
    kind: str
    prompt: str
    external_id: str
    width: int
    height: int
    duration_s: int
    colour: tuple[int, int, int]
    signature: str
    created_at: float
    expires_at: float
    fault: str = ""
    location: str = ""

    def status(self, *, now: float, queue_s: float, render_s: float) -> str:
        age_s = now - self.created_at
        if age_s < queue_s:
            return "submitted"
        if age_s < queue_s + render_s:
            return "processing"
        return "failed" if self.fault in FAILURES else "succeed"


def check_token(header: str | None, *, access_key: str, secret_key: str) -> None:
    """As "Authentication" in the API reference asks. Raises Refused with 1000 to 1004."""
    if not header:
        raise Refused(1001)
    scheme, _, token = header.partition(" ")
    try:
        if scheme != "Bearer" or jwt.get_unverified_header(token) != {"alg": "HS256", "typ": "JWT"}:
            raise Refused(1002)
        jwt.decode(
            token,
            secret_key,
            algorithms=["HS256"],
            issuer=access_key,
            options={"require": ["iss", "exp", "nbf"]},
        )
    except jwt.ImmatureSignatureError as error:
        raise Refused(1003) from error
    except jwt.ExpiredSignatureError as error:
        raise Refused(1004) from error
    except (jwt.InvalidSignatureError, jwt.InvalidIssuerError) as error:
        raise Refused(1000) from error
    except jwt.PyJWTError as error:
        raise Refused(1002) from error


def check_order(kind: str, body: Any, *, closed_models: set[str]) -> tuple[int, int]:
    """Fields, values and the capability grid. Gives the clip's size; raises Refused."""
    if not isinstance(body, dict):
        raise Refused(1200, "the body is no JSON object")
    for name, value in body.items():
        wanted = _FIELDS[kind].get(name)
        if wanted is None:
            raise Refused(1201, f"{name} is not supported")
        if not isinstance(value, wanted):
            raise Refused(1200, f"{name} has a wrong type")
    for name, values in _CHOICES.items():
        if name in body and body[name] not in values:
            raise Refused(1201, f"{name} value '{body[name]}' is invalid")
    model = body.get("model_name", "kling-v1")
    if model not in MODELS:
        raise Refused(1203, f"model {model} does not exist")
    if model in closed_models:
        raise Refused(1103)
    _check_words(kind, body)
    _check_grid(body)
    if kind == "text2video":
        return TEXT_SIZES[body.get("aspect_ratio", "16:9")]
    frames = [_frame_size(body[name]) for name in ("image", "image_tail") if name in body]
    if not frames:
        raise Refused(1201, "image and image_tail cannot both be empty")
    return _clip_size(*frames[0])


def _check_words(kind: str, body: dict[str, Any]) -> None:
    if kind == "text2video" and not body.get("prompt"):
        raise Refused(1201, "prompt cannot be empty")
    for name in ("prompt", "negative_prompt"):
        if len(body.get(name, "")) > PROMPT_MAX_CHARS:
            raise Refused(1201, f"{name} length must be at most {PROMPT_MAX_CHARS}")
    if body.get("external_task_id") == "":
        raise Refused(1201, "external_task_id cannot be empty")
    if not body.get("callback_url", "https://").startswith("https://"):
        raise Refused(1201, "callback_url is invalid")
    mark = body.get("watermark_info", {"enabled": False})
    if set(mark) != {"enabled"} or not isinstance(mark["enabled"], bool):
        raise Refused(1201, "watermark_info is invalid")


def _check_grid(body: dict[str, Any]) -> None:
    is_pro, has_sound = body.get("mode", "std") == "pro", body.get("sound", "off") == "on"
    if has_sound and not is_pro:
        raise Refused(1201, "sound is only supported in pro mode")
    if "image_tail" in body and (has_sound or not is_pro):
        raise Refused(1201, "image_tail is only supported in pro mode without sound")
    if "voice_list" in body and (not has_sound or len(body["voice_list"]) > 2):
        raise Refused(1201, "voice_list is only supported with sound, for two voices")


def _frame_size(text: str) -> tuple[int, int]:
    if text.startswith("data:"):
        raise Refused(1201, "image base64 must not have a data: prefix")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        # Links are documented too, but this stand-in reads none.
        raise Refused(1201, "image is not valid base64") from error
    if len(content) > IMAGE_MAX_BYTES:
        raise Refused(1201, "image size must be at most 10MB")
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG", "PNG"]) as image:
            image.load()
            width, height = image.size
    except (OSError, SyntaxError, ValueError) as error:
        raise Refused(1201, "image format is invalid") from error
    if min(width, height) < IMAGE_MIN_SIDE:
        raise Refused(1201, f"Image pixel is invalid: sides must be at least {IMAGE_MIN_SIDE}px")
    if max(width, height) > 2.5 * min(width, height):
        raise Refused(1201, "image aspect ratio must be within 1:2.5 and 2.5:1")
    return width, height


def _clip_size(width: int, height: int) -> tuple[int, int]:
    """The picture's ratio at 720 pixels across the short side; codecs want even sizes."""
    short = min(width, height)
    return 2 * round(width * 360 / short), 2 * round(height * 360 / short)


def envelope(data: Any, *, code: int = 0, message: str = "SUCCEED") -> dict[str, Any]:
    whole = {"code": code, "message": message, "request_id": f"req-{secrets.token_hex(8)}"}
    return whole if code else {**whole, "data": data}


def told(task: Task, *, status: str, url: str, now: float) -> dict[str, Any]:
    """A task as queries and lists show it; times in milliseconds."""
    shown: dict[str, Any] = {
        "task_id": task.task_id,
        "task_status": status,
        "task_status_msg": FAILURES[task.fault] if status == "failed" else "",
        "task_info": {"external_task_id": task.external_id} if task.external_id else {},
        "created_at": int(task.created_at * 1000),
        "updated_at": int(now * 1000),
    }
    if status == "succeed":
        video = {"id": f"v-{task.task_id}", "url": url, "duration": f"{task.duration_s}.041"}
        if task.fault == "bad_url":
            video["url"] = "javascript:1"
        videos = [] if task.fault == "no_url" else [video]
        shown["task_result"] = {"videos": videos}
        shown["final_unit_deduction"] = str(task.duration_s / 2)
    return shown
