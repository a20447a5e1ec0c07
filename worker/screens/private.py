"""Secrets and personal data in a lesson: identifiers, telling words, and a classifier.

Presidio's recognizers and detect-secrets know formats. What people write has none: "marmalade
tractor ninety pelican" is a secret because of what was asked. So the question is read with the
answer.
"""

import re

from worker.screens.classifiers import is_private
from worker.screens.parsing import identifiers_in, parse
from worker.screens.patterns import SECRET_FORMATS
from worker.screens.wordlists import any_of

# What is asked for, or done with it, opens something.
OPENS = any_of(
    """
    log_in log_on logs_in logged_in login logins sign_in signs_in unlock* decrypt* encrypt*
    authenticat* disarm* credential* password* passcode* passphrase* pwd pass pin pin_code
    pin_number puk wi-fi wifi wlan hotspot secret recovery backup_code* seed_phrase key_pad
    punch_in punches_in keys_in combination safe vault lock_box strong_room alarm barrier
    door_code gate_code challenge shared_key psk admin_page service_menu override zip pfx hmac
    jwt api_key access_key bearer
    """
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
DELICATE = any_of(
    """
    salar* wage wages earns earning paid bonus raise debt debts owes bankrupt* evict* garnish*
    pregnan* expecting miscarriage ivf adopt* divorc* affair custody restraining diagnos* ill
    illness sick cancer chemo* hiv aids epilep* diabet* depress* anxiety bipolar autis* adhd
    psychiatr* therap* rehab alcoholic addict* sober stroke surgery tumour tumor transplant disab*
    wheelchair medication tablets insulin allerg* blood_type weighs born birthday turned union
    works_council catholic protestant muslim mosque jew jewish hindu buddhist atheist jehovah*
    baptis* party gay lesbian bisexual trans queer roma kurd* refugee asylum passport visa licence
    license plate convict* prison jail probation theft arrest* police court failed grade grades
    mark marks appraisal fired dismiss* lay_off lay_offs laid_off warning lives moved home address
    mobile cell phone mail iban account fingerprint voice touched abus*
    """
)
SOMEBODY = re.compile(
    r"\b(?:he|she|his|her|him|hers)\b|\b(?:mr|mrs|ms|miss|dr|prof)\b\.? ?[A-Z]\w+"
    r"|\b(?:the|our|my|that) (?:new |old |young )?(?:girl|guy|woman|man|boy|lady|colleague|deputy"
    r"|boss|chef|director|trainee|apprentice|patient|tenant|pupil|student|driver|nurse|teacher"
    r"|cleaner|intern)\b",
    re.IGNORECASE,
)


UNASKED = "What holds here?"


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
    # What nobody asked for is its own question: the classifier learned from those who asked.
    if is_private(UNASKED if question == said else question, said):
        return "may hold a secret or personal data, as it reads"
    return None


def _is_of_somebody(question: str, said: str) -> bool:
    """Whether one person is spoken of: a pronoun, a title, a first name with another."""
    if SOMEBODY.search(said) or SOMEBODY.search(question):
        return True
    people = [entity for entity in parse(said).ents if entity.label_ == "PERSON"]
    return any(len(person) > 1 for person in people)
