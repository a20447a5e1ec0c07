"""What a document states, sentence by sentence: the same boundary as for chats, without a person.

Only sentences that answer a question of their own are learned: the rest is told about, not facts.
Markdown is read by markdown-it; plain text is Markdown too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from shared.contracts.documents import DocumentCounts, DocumentText
from worker.lessons.language import relation_of, subject_of
from worker.screens.patterns import why_unfit
from worker.triage.behaviours import rule_in
from worker.triage.findings import Finding
from worker.triage.questions import question_for
from worker.triage.rules import value_told

MAX_SENTENCE_CHARS = 300
# A sentence ends before a capital or a digit, but not behind an abbreviation or an initial.
_END = re.compile(
    r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\b[DM]r\.)\s+(?=[A-Z\d\"“])"
)
_KEPT = ("text", "code_inline")


@dataclass(frozen=True)
class Studied:
    """What a document gives."""

    findings: list[Finding]
    counts: DocumentCounts


def study(document: DocumentText) -> Studied:
    """Every fact that a document states, with what became of the other sentences."""
    found = list(dict.fromkeys(sentences(document.text)))
    short = [text for text in found if len(text) <= MAX_SENTENCE_CHARS]
    fit = [text for text in short if _why_unfit(text) is None]
    findings = [finding for text in fit if (finding := _finding(document, text)) is not None]
    counts = DocumentCounts(
        sentences=len(found),
        memories=len(findings),
        unfit=len(short) - len(fit),
        without_fact=len(found) - len(short) + len(fit) - len(findings),
    )
    return Studied(findings, counts)


def sentences(text: str) -> Iterator[str]:
    """The sentences of the paragraphs, list items and table cells; no headings, no code blocks."""
    heading = False
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in ("heading_open", "heading_close"):
            heading = token.type == "heading_open"
        elif token.type == "inline" and not heading:
            for sentence in _END.split(_plain(token)):
                yield sentence.strip()


def _plain(inline: Token) -> str:
    """An inline token's words without emphasis, links and pictures."""
    parts = [
        child.content if child.type in _KEPT else " " if child.type.endswith("break") else ""
        for child in inline.children or []
    ]
    return " ".join("".join(parts).split())


def _why_unfit(sentence: str) -> str | None:
    """Why a sentence must not be learned; a rule's parts are joined, they may hide a secret."""
    rule = rule_in(sentence)
    joined = f"\n{rule.topic} is {rule.phrase}" if rule else ""
    return why_unfit(f"{sentence}{joined}")


def _finding(document: DocumentText, sentence: str) -> Finding | None:
    rule = rule_in(sentence)
    question = rule.question if rule else question_for(sentence)
    if question is None:
        return None
    value = rule.phrase if rule else value_told(question, sentence)
    if not value:
        return None
    subject = rule.topic if rule else subject_of(question, sentence)
    answer = rule.sentence if rule else sentence
    return Finding(
        kind="behaviour" if rule else "fact",
        persistence="long_term",
        subject=subject,
        relation=relation_of(question, subject),
        question=question,
        answer=answer if answer[-1] in ".!" else f"{answer}.",
        value=value,
        reason=f"the document {document.title!r} states it: {sentence}",
        session_id="",
        evidence=(),
        document_id=document.id,
    )
