"""Which language a text is in, and whether the screens read it."""

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


@lru_cache(maxsize=4096)
def language_of(text: str) -> str:
    """The ISO 639-1 code of the likeliest language; `en` where it may well be English."""
    values = _detector().compute_language_confidence_values(text)
    if not values:
        return "und"
    if any(v.language in COVERED and v.value >= MIN_CONFIDENCE for v in values):
        return "en"
    code: IsoCode639_1 = values[0].language.iso_code_639_1
    return code.name.lower()


@cache
def _detector() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(
        *(getattr(Language, name) for name in KNOWN)
    ).build()
