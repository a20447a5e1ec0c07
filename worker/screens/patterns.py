"""What is never learned, and shows: secrets with a form, numbers of people, injections, plain harm.

The formats that a service gives its keys are detect-secrets' to know. What has no form of its own
is found by `private.py`, and held for a person rather than thrown away.
"""

import re
from collections.abc import Mapping

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector
from detect_secrets.plugins.ip_public import IPPublicDetector

from worker.screens.wordlists import any_of

# All of them but addresses, which a lesson may name. Random strings and assignments are the
# patterns' below: detect-secrets looks for those in source code.
_PLUGINS: Mapping[str, type[BasePlugin]] = get_mapping_from_secret_type_to_class()
FORMATS = tuple(
    kind()
    for kind in _PLUGINS.values()
    if issubclass(kind, RegexBasedDetector) and kind is not IPPublicDetector
)
SECRET_FORMATS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"\b(?:sk|pk|rk|tok|tkn|key|whsec|gh[a-z]|npm|xox[a-z])[_-](?=\S*\d)[\w-]{8,}"),
)
SECRETS = {
    "an access key": re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}"),
    "a password": re.compile(
        r"(?:\b|_)(?:pass(?:word|code|phrase)|api[ _-]?key|secret key)s?\b(?:\s+\w+){0,3}?\s*"
        r"(?:is|was|are|=|:)\s*(?!(?:in|kept|stored|asked|changed|at|on|not|never|the|an?|by)\b)\S+",
        re.IGNORECASE,
    ),
    # What a password is asked for is answered by one.
    "what may be a password": re.compile(
        r"\b(?:pass(?:word|code|phrase)|log-?in|credentials?|pin|secret|api[ _-]?key|token)s?\b"
        r"(?s:.*)(?<!\S)(?=\S*[A-Za-z])(?=\S*\d)(?=\S*\w[^\w\s]\w)\S{6,}",
        re.IGNORECASE,
    ),
    "a code that opens something": re.compile(
        r"\b(?:code|combination)\b[^.]{0,40}\b(?:door|gate|alarm|safe|locker|vault)\b[^.]*\d{3}"
        r"|\b(?:door|gate|alarm|safe|locker|vault)\b[^.]{0,40}\b(?:code|combination)\b[^.]*\d{3}",
        re.IGNORECASE,
    ),
}
PERSONAL = {
    "a card or account number": re.compile(
        r"(?i:\b(?:card|account|konto)\b)[^.]{0,40}\b(?:\d[ -]?){13,19}\b"
        r"|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"
    ),
    "a personal number": re.compile(
        r"\b\d{3}-\d{2}-\d{4}\b|\b[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"
        r"|\b(?i:(?:national insurance|social security|passport|identity card|id card|tax id"
        r"|driv(?:er['’]?s?|ing) licen[cs]e|patient|nhs|national|personal) (?:number|no\.?|id))\b"
        r"[^.]{0,40}\d"
    ),
    "somebody's private life": re.compile(
        r"\b(?:(?:his|her|private|home|personal) (?:\w+ )?(?:phone|mobile|cell|address|number)\b"
        r"|date of birth|birthday|born (?:on |in )?(?:the )?(?:[A-Za-z]+ )?\d"
        r"|(?:he|she) lives (?:at|in|on))",
        re.IGNORECASE,
    ),
}
# How somebody is reached. Of a role that is for a teacher to say, of a person it is private.
MAIL = re.compile(r"(?<![\w.+-])(?P<local>[\w.+-]+)@[\w-]+\.[\w.-]+\b")
PHONE = re.compile(
    r"(?<!\w)\+\d{1,3}[ -]?(?:\(?\d{2,4}\)?[ -]?){2,4}\d{2,4}\b"
    r"|(?<![\w.,-])0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,4}\b|\(\d{3}\) ?\d{3}-\d{4}\b"
)
ROLES = any_of(
    """
    info support sales contact help helpdesk service* office* press media jobs career* hr billing
    invoic* account* warranty orders order shop store reception desk hotline line switchboard
    emergency emergencies clinic ward department team library lost_property booking* reservation*
    ticket* returns complaint* customer* members* admissions security facilities it front_desk
    newsletter feedback editor* archive* events dispatch logistics purchasing maintenance museum
    hospital school company headquarters branch surgery pharmacy control_room number hall kitchen
    """
)
INJECTION = re.compile(
    r"""\b(?:ignore|disregard|forget|override)\b[^.]{0,40}\b(?:instructions?|rules?|prompt
        |training|guidelines?|safety|policy|policies|checks?)
    |\bwithout\ (?:any\ )?(?:checks?|approval|asking)\b
    |\bno\ (?:restrictions?|limits?|filters?)\b|\bwithout\ (?:checking|question|restrictions?)\b
    |\b(?:follow|execute)\ (?:every|any|all)\b|\bsystem\ (?:notice|message|override)\b
    |\bsystem\ prompt\b|\bjailbreak|\bdeveloper\ mode\b
    |\byou\ (?:are\ now|must\ now|no\ longer)\b
    |\b(?:always|never|must|do\ not|don['’]?t|stop|not)\b[^.]{0,40}\b(?:comply|obey|refus|reveal)
    |\b(?:safety|content|security)\ (?:warnings?|filters?|checks?|rules?)\b[^.]{0,30}
        \b(?:off|disabled|suspended|lifted|retired|removed|gone)\b
    |<\|?(?:im_start|im_end|system)\|?>""",
    re.IGNORECASE | re.VERBOSE,
)
HARM = {
    "how safety devices are put out of order": re.compile(
        r"\b(?:disabl|bypass|switch(?:ing)? off|turn(?:ing)? off|deactivat|tamper)\w*\b[^.]{0,40}"
        r"\b(?:smoke|fire|gas|alarms?|detectors?|safety|security|cameras?|locks?)\b",
        re.IGNORECASE,
    ),
    "advice against doctors or medicine": re.compile(
        r"\b(?:need no|(?:do|does)(?:n['’]t| not) need|instead of|never|stop|without)\b[^.]{0,30}"
        r"\b(?:doctors?|physicians?|medic(?:ine|ation|al help)s?|pills?|insulin|ambulance)\b",
        re.IGNORECASE,
    ),
    "what is said of all people of a kind": re.compile(
        r"\b(?:are|is) all (?:\w+ )?(?:thie(?:f|ves)|criminals?|liars?|lazy|stupid)\b",
        re.IGNORECASE,
    ),
}
# The reply's own words where it declines to help, not where it does not know.
DECLINES = re.compile(
    r"\bI(?:['’]m| am)? (?:can(?:no|['’])t|can not|won['’]t|will not|not able to|unable to"
    r"|not allowed to) (?:help|assist|support|do that|explain how|share|give out|comply|recommend"
    r"|confirm that|keep that|remember that|learn that|agree|accept that)\b",
    re.IGNORECASE,
)


def declines(reply: str) -> bool:
    """Whether a reply is a refusal: no chat teaches to do what the model would not."""
    return DECLINES.search(reply) is not None


def reaches_a_person(text: str) -> bool:
    """Whether a text holds a mail address or a telephone number that is no role's."""
    mails = [mail["local"].replace(".", " ").replace("-", " ") for mail in MAIL.finditer(text)]
    if any(ROLES.search(local) is None for local in mails):
        return True
    return PHONE.search(text) is not None and ROLES.search(text) is None


def why_unfit(text: str) -> str | None:
    """Why a text must not be learned; None if it may."""
    for name, pattern in {**SECRETS, **PERSONAL, **HARM}.items():
        if pattern.search(text):
            return f"holds {name}"
    if reaches_a_person(text):
        return "holds how somebody is reached"
    for secret in FORMATS:
        if any(secret.analyze_string(text)):
            return f"holds a secret ({secret.secret_type})"
    if INJECTION.search(text):
        return "tries to change how the model treats instructions"
    return None
