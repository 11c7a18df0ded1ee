"""What ModelArk accepts and how its answers look, as documented for Seedream 4.x."""

import re
import secrets
import time
from typing import Any

from tests.providers.fakes.pictures import Picture

MIN_PIXELS = {"seedream-4-0-250828": 921_600, "seedream-4-5-251128": 3_686_400}
SIZE_TOKENS = {"seedream-4-0-250828": {"1K", "2K", "4K"}, "seedream-4-5-251128": {"2K", "4K"}}
TOKEN_SIZE = {"1K": (1152, 864), "2K": (2048, 2048), "4K": (4096, 4096)}
MAX_PIXELS = 16_777_216


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param


def check_fields(body: dict[str, Any]) -> None:
    """Types and values as documented for Seedream 4.x. Raises Refused."""
    allowed = {
        "model": str, "prompt": str, "size": str, "response_format": str, "watermark": bool,
        "sequential_image_generation": str, "sequential_image_generation_options": dict,
        "optimize_prompt_options": dict, "stream": bool, "image": (str, list),
    }  # fmt: skip
    for name, value in body.items():
        if name not in allowed:
            raise Refused(400, "InvalidParameter", f"{name} is not supported.", name)
        if not isinstance(value, allowed[name]):  # type: ignore[arg-type]
            raise Refused(400, "InvalidParameter", f"{name} has a wrong type.", name)
    choices = {
        "response_format": {"url", "b64_json"},
        "sequential_image_generation": {"disabled", "auto"},
    }
    for name, values in choices.items():
        if name in body and body[name] not in values:
            raise Refused(400, "InvalidParameter", f"{name} must be one of {values}.", name)
    if not body["prompt"]:
        raise Refused(400, "InvalidParameter", "prompt must not be empty.", "prompt")
    if body.get("stream"):
        raise Refused(400, "InvalidParameter", "this stand-in does not stream.", "stream")
    size_of(body)


def size_of(body: dict[str, Any]) -> tuple[int, int]:
    model, size = body["model"], body.get("size", "2048x2048")
    if size in SIZE_TOKENS[model]:
        return TOKEN_SIZE[size]
    found = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", size, re.ASCII)
    if found is None:
        raise Refused(400, "InvalidParameter", "size must be WIDTHxHEIGHT or a token.", "size")
    width, height = int(found[1]), int(found[2])
    if not MIN_PIXELS[model] <= width * height <= MAX_PIXELS:
        bounds = f"between {MIN_PIXELS[model]} and {MAX_PIXELS} pixels"
        raise Refused(400, "InvalidParameter", f"image size must be {bounds}.", "size")
    if max(width, height) > 16 * min(width, height):
        raise Refused(400, "InvalidParameter", "the ratio must be within 1/16 and 16.", "size")
    return width, height


def wh(picture: Picture) -> str:
    return f"{picture.width}x{picture.height}"


def answer(body: dict[str, Any], data: list[Any], picture: Picture) -> dict[str, Any]:
    tokens = picture.width * picture.height // 256
    usage = {"generated_images": 1, "output_tokens": tokens, "total_tokens": tokens}
    return {"model": body["model"], "created": int(time.time()), "data": data, "usage": usage}


def envelope(refused: Refused) -> dict[str, Any]:
    error: dict[str, Any] = {
        "code": refused.code,
        "message": f"{refused.message} Request id: 0217{secrets.token_hex(6)}",
        "type": "BadRequest" if refused.status < 500 else "InternalServerError",
    }
    if refused.param:
        error["param"] = refused.param
    return {"error": error}
