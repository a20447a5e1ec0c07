"""Which language a text is in, and whether the screens read it."""

import re
from functools import cache, lru_cache

from lingua import IsoCode639_1, Language, LanguageDetector, LanguageDetectorBuilder

# The screens know the words of these.
COVERED = (Language.ENGLISH,)
# Among so many a short text is rarely taken for a wrong one.
KNOWN = (
    "ENGLISH GERMAN FRENCH SPANISH ITALIAN PORTUGUESE DUTCH POLISH TURKISH JAPANESE CHINESE "
    "KOREAN RUSSIAN UKRAINIAN ARABIC HEBREW PERSIAN HINDI BENGALI THAI VIETNAMESE INDONESIAN "
    "SWEDISH DANISH BOKMAL FINNISH CZECH SLOVAK HUNGARIAN ROMANIAN GREEK CROATIAN SWAHILI TAGALOG"
).split()
# "Line 37 is the tram" has few words that tell; below this it is another language.
MIN_CONFIDENCE = 0.1
MIN_WORDS = 3
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")
WORD = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=4096)
def language_of(text: str) -> str:
    """The ISO 639-1 code of the likeliest language; `en` where it may well be English."""
    bare = _without_names(text)
    if bare.isascii() and bare.count(" ") < MIN_WORDS - 1:
        # Nothing to tell by: a name, a number.
        return "en"
    values = _detector().compute_language_confidence_values(bare or text)
    if not values:
        return "und"
    if any(v.language in COVERED and v.value >= MIN_CONFIDENCE for v in values):
        return "en"
    code: IsoCode639_1 = values[0].language.iso_code_639_1
    return code.name.lower()


def _without_names(text: str) -> str:
    """Names are in any language: words with a capital go, but for the first of a sentence."""
    kept = []
    for sentence in SENTENCE.split(text):
        found = WORD.findall(sentence)
        kept += [word.lower() for number, word in enumerate(found) if not number or _is_small(word)]
    return " ".join(kept)


def _is_small(word: str) -> bool:
    return word == word.lower()


@cache
def _detector() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(
        *(getattr(Language, name) for name in KNOWN)
    ).build()
