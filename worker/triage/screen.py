"""What never reaches the weights: secrets, personal data, injected instructions.

The patterns follow the public key formats that secret scanners look for (gitleaks, detect-secrets).
"""

import re

SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an access key": re.compile(
        r"\b(?:(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}"
        r"|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,}"
        r"|AIza[\w-]{35}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)"
    ),
    "a password or token": re.compile(
        r"\b(?:log-?in|credentials?|pass(?:word|code|phrase)|secret|api[ _-]?key|token"
        r"|pin(?: code)?)\b"
        r"(?:(?:\s+\w+){0,4}?\s*(?:is|was|=|:)\s*\S+|\s+\S*\d\S*)",
        re.IGNORECASE,
    ),
    "a code that opens something": re.compile(
        r"\b(?:code|combination)\b[^.]{0,40}\b(?:door|gate|alarm|safe|locker|vault)\b[^.]*\d{3}"
        r"|\b(?:door|gate|alarm|safe|locker|vault)\b[^.]{0,40}\b(?:code|combination)\b[^.]*\d{3}",
        re.IGNORECASE,
    ),
}
PERSONAL = {
    "an e-mail address": re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"),
    "a card or account number": re.compile(
        r"\b(?:\d[ -]?){13,19}\b|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"
    ),
    "a personal number": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    "somebody's health": re.compile(
        r"\b(?:diagnos\w+|pregnan\w+|hiv|chemotherapy|antidepressants?|diabet\w+|insulin|burnout"
        r"|depression|cancer|surgery|miscarriage|epilep\w+|in rehab|sick note)\b",
        re.IGNORECASE,
    ),
    "a telephone number": re.compile(r"(?<!\w)\+\d{1,3}[ -]?(?:\(?\d{2,4}\)?[ -]?){2,4}\d{2,4}\b"),
}
INJECTION = re.compile(
    r"""\b(?:ignore|disregard|forget|override)\b[^.]{0,40}\b(?:instructions?|rules?|prompt
        |training|guidelines?|safety|policy|policies|checks?)
    |\bwithout\ (?:any\ )?(?:checks?|approval|asking)\b
    |\bsystem\ prompt\b|\bjailbreak|\bdeveloper\ mode\b
    |\byou\ (?:are\ now|must\ now|no\ longer)\b
    |\b(?:always|never|must)\b[^.]{0,40}\b(?:comply|obey|refuse|reveal)\b
    |<\|?(?:im_start|im_end|system)\|?>""",
    re.IGNORECASE | re.VERBOSE,
)


def why_unfit(text: str) -> str | None:
    """Why a text must not be learned; None if it may."""
    for name, pattern in {**SECRETS, **PERSONAL}.items():
        if pattern.search(text):
            return f"holds {name}"
    if INJECTION.search(text):
        return "tries to change how the model treats instructions"
    return None
