"""The tokens of an answer."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "number", "time", "date", "amount", "mark"]


@dataclass(frozen=True)
class Token:
    """A part of a text.

    Attributes:
        text: As it was written.
        form: Folded: small letters without accents.
        kind: What `value` is.
        value: Of a number the number, of a time the minutes of the day that it may mean, of a date
            (day, month, year or None), of an amount (dimension, size in its least unit).
        joined: Whether it follows the token before without a space, or by a hyphen.
    """

    text: str
    form: str
    kind: Kind
    value: object = None
    joined: bool = False
    is_ordinal: bool = False

    @property
    def number(self) -> float:
        """A number's."""
        assert isinstance(self.value, float)
        return self.value

    @property
    def minutes(self) -> frozenset[int]:
        """Of a time, the minutes of the day that it may mean."""
        assert isinstance(self.value, frozenset)
        return self.value

    @property
    def date(self) -> tuple[int, int, int | None]:
        """Day (0: of a month alone), month and year."""
        assert isinstance(self.value, tuple)
        return self.value

    @property
    def is_capital(self) -> bool:
        """Whether it begins with a capital letter."""
        return self.text[:1].isupper()


def fold(text: str) -> str:
    """Small letters without accents."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))
