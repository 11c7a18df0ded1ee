"""What may be ordered: the one validator behind the composer and the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

from creative_hub import catalogue
from creative_hub.services.submission import ImageRequest


def listed(values: Iterable[object]) -> str:
    """1, 2, 3 or 4"""
    *most, last = [str(value) for value in values]
    return f"{', '.join(most)} or {last}" if most else last


class TextField(forms.CharField):
    """Text that the database can hold, counted as the browser counts it."""

    def to_python(self, value: Any) -> str:
        # Browsers count a line break as one character and send it as two.
        text = str(super().to_python(value) or "").replace("\r\n", "\n")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValidationError("This text has broken characters in it.") from None
        return text


class _MaxLength(MaxLengthValidator):
    def __init__(self, limit: int, what: str) -> None:
        super().__init__(
            limit, f"The {what} has %(show_value)s characters; at most %(limit_value)s fit."
        )


def _choice(values: Iterable[str], initial: str) -> forms.ChoiceField:
    values = list(values)
    return forms.ChoiceField(
        choices=[(value, value) for value in values],
        required=False,
        initial=initial,
        error_messages={
            "invalid_choice": f"%(value)s is not available here. Choose {listed(values)}."
        },
    )


class ImageForm(forms.Form):
    """An order of pictures. An omitted option takes its default."""

    studio = catalogue.IMAGE

    prompt = TextField(
        validators=[_MaxLength(catalogue.PROMPT_MAX_CHARS, "prompt")],
        error_messages={
            "required": f"Write a prompt of 1 to {catalogue.PROMPT_MAX_CHARS} characters."
        },
    )
    style = TextField(required=False, validators=[_MaxLength(catalogue.STYLE_MAX_CHARS, "style")])
    aspect_ratio = _choice((one.value for one in studio.ratios), studio.default_ratio)
    resolution = _choice((one.value for one in studio.resolutions), studio.default_resolution)
    num_variants = _choice((str(one) for one in studio.variants), str(studio.default_variants))

    def order(self) -> ImageRequest:
        """The validated order. Only after is_valid()."""
        given = {name: value for name, value in self.cleaned_data.items() if value}
        if "num_variants" in given:
            given["num_variants"] = int(given["num_variants"])
        return ImageRequest(**given)

    def sentences(self) -> dict[str, list[str]]:
        """Field name to what is wrong with it."""
        return {name: [str(one) for one in errors] for name, errors in self.errors.items()}
