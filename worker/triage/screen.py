"""What never reaches the weights: secrets, personal data, injected instructions.

The formats that a service gives its keys are detect-secrets' to know; the patterns here find what
people say of a secret, and long strings that look like none of their words.
"""

import re

from detect_secrets.plugins.artifactory import ArtifactoryDetector
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.cloudant import CloudantDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.ibm_cloud_iam import IbmCloudIamDetector
from detect_secrets.plugins.ibm_cos_hmac import IbmCosHmacDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.softlayer import SoftlayerDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

FORMATS: tuple[RegexBasedDetector, ...] = (
    ArtifactoryDetector(),
    AWSKeyDetector(),
    AzureStorageKeyDetector(),
    BasicAuthDetector(),
    CloudantDetector(),
    DiscordBotTokenDetector(),
    GitHubTokenDetector(),
    GitLabTokenDetector(),
    IbmCloudIamDetector(),
    IbmCosHmacDetector(),
    JwtTokenDetector(),
    MailchimpDetector(),
    NpmDetector(),
    OpenAIDetector(),
    PrivateKeyDetector(),
    PypiTokenDetector(),
    SendGridDetector(),
    SlackDetector(),
    SoftlayerDetector(),
    SquareOAuthDetector(),
    StripeDetector(),
    TelegramBotTokenDetector(),
    TwilioKeyDetector(),
)
SECRETS = {
    "an access key": re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}"),
    "a password or token": re.compile(
        r"(?<![A-Za-z])(?:log-?in|credentials?|pass(?:word|code|phrase)|secret|api[ _-]?key|token"
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
    for secret in FORMATS:
        if any(secret.analyze_string(text)):
            return f"holds a secret ({secret.secret_type})"
    if INJECTION.search(text):
        return "tries to change how the model treats instructions"
    return None
