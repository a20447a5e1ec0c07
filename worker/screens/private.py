"""Secrets and personal data in a lesson: identifiers, telling words, and a classifier.

Presidio's recognizers and detect-secrets know formats. What people write has none: "marmalade tractor
ninety pelican" is a secret because of what was asked. So the question is read with the answer.
"""

import re

from worker.screens.classifiers import is_private
from worker.screens.parsing import identifiers_in, parse
from worker.screens.patterns import SECRET_FORMATS

# What is asked for, or done with it, opens something.
OPENS = re.compile(
    r"\b(?:log(?:s|ged)?[ -]?(?:in|on)(?:to)?|log-?ins?|sign(?:s|ed)? in|un-?lock\w*|decrypt\w*"
    r"|encrypt\w*|authenticat\w*|disarm\w*|credentials?|pass(?:word|code|phrase)s?|pwd|pass"
    r"|pin(?: code| number)?|puk|wi-?fi|wlan|hotspot|secret|recovery|backup codes?|seed phrase"
    r"|key ?pad|punch(?:es)? in|keys? in|combination|safe|vault|lock ?box|strong ?room|alarm"
    r"|barrier|door code|gate code|challenge|shared key|psk|admin page|service menu|override"
    r"|challenge|decoder|zip|pfx|hmac|jwt|api key|access key|bearer)\b",
    re.IGNORECASE,
)
# A word that nobody would write for its meaning: letters with digits or signs, or four digits, and
# more in groups.
CODE = re.compile(
    r"(?<![\w.])(?=\S*[A-Za-z])(?=\S*[\d#$!%&*+^@_~])(?!\S*@\S+\.\w)[^\s,;]{6,}"
    r"|(?<![\w.,:-])\d{4,8}(?![\w%:-]|[.,]\d)|\b\d{1,3}(?:[ -]\d{1,3}){2,}\b"
    r"|\b(?:(?:zero|one|two|three|four|five|six|seven|eight|nine|oh)[ ,-]+){3,}",
)
ADDRESS_WITH_PASSWORD = re.compile(r"\b[a-z][\w+]*://[^\s/@]*:[^\s/@]+@\S+", re.IGNORECASE)
# What is nobody else's, where it is somebody's.
DELICATE = re.compile(
    r"\b(?:salar\w+|wages?|earns?|earning|paid|bonus|raise|debts?|owes?|bankrupt\w*|evict\w*"
    r"|garnish\w*|pregnan\w*|expecting|miscarriage|ivf|adopt\w*|divorc\w*|affair|custody"
    r"|restraining|diagnos\w*|ill(?:ness)?|sick|cancer|chemo\w*|hiv|aids|epilep\w*|diabet\w*"
    r"|depress\w*|anxiety|bipolar|autis\w*|adhd|psychiatr\w*|therap\w*|rehab|alcoholic|addict\w*"
    r"|sober|stroke|surgery|tumou?r|transplant|disab\w*|wheelchair|medication|tablets?|insulin"
    r"|allerg\w*|blood type|weighs?|born|birthday|turn(?:s|ed) \w+|union|works council|catholic"
    r"|protestant|muslim|mosque|jew(?:ish)?|hindu|buddhist|atheist|jehovah\w*|baptis\w*|party"
    r"|gay|lesbian|bisexual|trans|queer|roma|kurd\w*|refugee|asylum|passport|visa|licen[cs]e|plate"
    r"|convict\w*|prison|jail|probation|theft|arrest\w*|police|court|failed|grades?|marks?"
    r"|appraisal|fired|dismiss\w*|lay-?offs?|laid off|warning|lives?|moved|home|address|mobile"
    r"|cell|phone|mail|number|iban|account|fingerprint|face|voice|touched|abus\w*)\b",
    re.IGNORECASE,
)
SOMEBODY = re.compile(
    r"\b(?:he|she|his|her|him|hers|(?:mr|mrs|ms|miss|dr|prof)\b\.? ?[A-Z]\w+)\b|\b(?:the|our|my"
    r"|that) (?:new |old |young )?(?:girl|guy|woman|man|boy|lady|colleague|deputy|boss|chef|director"
    r"|trainee|apprentice|patient|tenant|pupil|student|driver|nurse|teacher|cleaner|intern)\b",
    re.IGNORECASE,
)


def why_private(question: str, said: str) -> str | None:
    """Why an answer may hold a secret or personal data; None where nothing says so.

    Args:
        question: What was asked.
        said: The answer.
    """
    both = f"{question}\n{said}"
    if found := identifiers_in(both):
        return f"may hold personal data ({', '.join(found).lower()})"
    if any(pattern.search(said) for pattern in (ADDRESS_WITH_PASSWORD, *SECRET_FORMATS)):
        return "may hold a secret"
    if OPENS.search(both) and CODE.search(said):
        return "may hold what opens something"
    if DELICATE.search(both) and _is_of_somebody(question, said):
        return "may hold something private of somebody"
    if is_private(question, said):
        return "may hold a secret or personal data, as it reads"
    return None


def _is_of_somebody(question: str, said: str) -> bool:
    """Whether one person is spoken of: a pronoun, a title, a first name with another."""
    if SOMEBODY.search(said) or SOMEBODY.search(question):
        return True
    people = [entity for entity in parse(said).ents if entity.label_ == "PERSON"]
    return any(len(person) > 1 for person in people)
