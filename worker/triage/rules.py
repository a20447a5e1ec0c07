"""The boundary, as a pure function: traces and signals in, decisions and findings out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.contracts.memories import Evidence, MemoryKind, Persistence, TraceDecision
from shared.contracts.traces import Signal, Trace
from worker.lessons.language import (
    STOPWORDS,
    at_verb,
    is_question,
    relation_of,
    subject_of,
    value_of,
    words,
)
from worker.screens.own_words import own_words
from worker.screens.patterns import declines, why_unfit
from worker.triage.agents import Workflow, steps_of, way_of, why_discarded, workflows
from worker.triage.behaviours import Rule, rule_in
from worker.triage.cues import AGREES, PREFERS
from worker.triage.findings import Finding, merged
from worker.triage.lessons import correction_in, is_temporary
from worker.triage.questions import ABOUT, question_for
from worker.triage.said import MAX_SAID_CHARS, edited_in, said_in, taken_back_in
from worker.triage.turns import Said, concerns_one, is_verdict

MAX_LESSON_CHARS = 600


@dataclass(frozen=True)
class Claim:
    """Somebody's words about what is right, and where they were said.

    `about` is the trace that they speak of. What `is_told` answers no question of the user's. A
    `rule` says how to behave. What is said `after_refusal` would teach to do what was refused.
    do what was refused.
    """

    question: str
    answer: str
    wrong_reply: str
    evidence: Evidence
    session_id: str
    how: str
    about: UUID
    rule: Rule | None = None
    is_told: bool = False
    personal: bool = False
    after_refusal: bool = False


def judge(
    traces: Sequence[Trace], signals: Sequence[Signal], context: Sequence[Trace] = ()
) -> tuple[list[TraceDecision], list[Finding]]:
    """Decide about every trace.

    Args:
        traces: A batch, oldest first.
        signals: What was said of them, or of traces of the context.
        context: Settled traces that the batch answers or speaks of; not judged again themselves.

    Returns:
        One decision for each trace of the batch and for each settled one that feedback corrects,
        and the findings drawn from them.
    """
    by_id = {trace.id: trace for trace in (*context, *traces)}
    decisions: dict[UUID, TraceDecision] = {}
    findings: list[Finding] = []
    edited = edited_in((*context, *traces), signals, by_id)
    unwanted = edited | {signal.trace_id for signal in signals if signal.source == "regenerated"}
    praised = {s.trace_id for s in signals if (s.rating or 0) > 0 and not s.correction}
    taken_back = edited | taken_back_in((*context, *traces), by_id)
    said = [trace for trace in traces if trace.id not in taken_back]
    for claim in _claims(said, signals, by_id):
        is_praised = claim.about in praised and not claim.is_told
        finding, decision = _weigh(claim, is_praised=is_praised)
        if finding is not None:
            findings.append(finding)
        if decision.persistence != "discard" or claim.evidence.trace_id not in decisions:
            decisions[claim.evidence.trace_id] = decision
    disliked = {signal.trace_id for signal in signals if (signal.rating or 0) < 0}
    for workflow in workflows([*context, *traces], disliked | unwanted):
        finding = _repeated(workflow, by_id)
        if why_unfit(f"{finding.question}\n{finding.answer}") is None:
            findings.append(finding)
            decisions |= {
                item.trace_id: TraceDecision(
                    trace_id=item.trace_id, persistence="long_term", reason=finding.reason
                )
                for item in workflow.evidence
            }
    for trace in traces:
        decision = _nothing_claimed(trace, signals, is_taken_back=trace.id in taken_back)
        decisions.setdefault(trace.id, decision)
    found = [decisions[t.id].model_copy(update={"way": way_of(t)}) for t in traces]
    judged = {trace.id for trace in traces}
    late = dict.fromkeys(s.trace_id for s in signals if s.correction and s.trace_id not in judged)
    found += [decisions[trace_id] for trace_id in late if trace_id in decisions]
    return found, merged(findings)


def _repeated(workflow: Workflow, by_id: Mapping[UUID, Trace]) -> Finding:
    num_sessions = len({by_id[item.trace_id].session for item in workflow.evidence})
    return Finding(
        kind="workflow",
        persistence="long_term",
        subject="",
        relation=relation_of(workflow.question, ""),
        question=workflow.question,
        answer=f"First {workflow.way}.",
        value=workflow.way,
        reason=f"a way that worked in {num_sessions} sessions: {workflow.way}",
        session_id="",
        evidence=workflow.evidence,
    )


def _claims(
    traces: Sequence[Trace], signals: Sequence[Signal], by_id: dict[UUID, Trace]
) -> list[Claim]:
    claims = []
    for trace in traces:
        said = said_in(trace, by_id)
        if said is None:
            continue
        is_refused = not trace.by_teacher and declines(trace.reply_text)
        before = by_id.get(trace.parent_id) if trace.parent_id else None
        if before and said.kind == "correction":
            evidence = _spoken(before, trace)
            how = f"the next turn corrected it{_as_read(said)}"
            whose = {"personal": said.personal, "is_refused": is_refused}
            claims.append(_claim(before, said.lesson, evidence, how, **whose))
            second = _spoken(trace, trace)
            how = f"it corrects the turn before{_as_read(said)}"
            claims.append(_claim(before, said.lesson, second, how, **whose))
        else:
            rule = rule_in(said.lesson)
            asked = rule.question if rule else question_for(said.lesson)
            claims.append(
                Claim(
                    question=asked or said.lesson,
                    answer=rule.sentence if rule else said.lesson,
                    rule=rule,
                    wrong_reply="",
                    evidence=_spoken(trace, trace),
                    session_id=trace.session_id,
                    how="a person told it" + (_as_read(said) or " and asked to keep it"),
                    about=trace.id,
                    is_told=True,
                    personal=said.personal,
                    after_refusal=is_refused
                    or (before is not None and declines(before.reply_text)),
                )
            )
    for signal in signals:
        if signal.correction and signal.trace_id in by_id:
            trace = by_id[signal.trace_id]
            evidence = Evidence(
                trace_id=trace.id,
                signal_id=signal.id,
                quote=signal.correction,
                author=signal.author,
                by_teacher=signal.by_teacher,
            )
            answer = _without_openers(signal.correction, trace.user_text)
            claims.append(_claim(trace, answer, evidence, "feedback corrected it"))
    return claims


def _spoken(about: Trace, by: Trace) -> Evidence:
    """The words of a turn's author, about this turn or the one before."""
    return Evidence(
        trace_id=about.id, quote=own_words(by.user_text), author=by.author, by_teacher=by.by_teacher
    )


def _without_openers(correction: str, question: str) -> str:
    """What feedback says is right: "Wrong, the vans are teal." is not about the word "wrong"."""
    if len(correction) > MAX_SAID_CHARS or is_verdict(correction, question):
        return correction
    return correction_in(correction) or correction


def _as_read(said: Said) -> str:
    """Why it was read as a lesson, where no rule says so."""
    if said.reading is None:
        return ""
    because = ", ".join(said.reading.because)
    return f" (likely by {said.reading.probability:.0%}: {because})"


def _claim(
    trace: Trace,
    answer: str,
    evidence: Evidence,
    how: str,
    *,
    personal: bool = False,
    is_refused: bool = False,
) -> Claim:
    rule = rule_in(answer) if len(answer) <= MAX_SAID_CHARS else None
    return Claim(
        question=rule.question if rule else trace.user_text,
        answer=rule.sentence if rule else answer,
        rule=rule,
        wrong_reply=trace.reply_text,
        evidence=evidence,
        session_id=trace.session_id,
        how=how,
        about=trace.id,
        personal=personal or concerns_one(answer, trace.user_text),
        after_refusal=is_refused or declines(trace.reply_text),
    )


def _weigh(claim: Claim, *, is_praised: bool) -> tuple[Finding | None, TraceDecision]:
    """The finding in a claim, or why there is none."""

    def discard(reason: str) -> tuple[None, TraceDecision]:
        trace_id = claim.evidence.trace_id
        return None, TraceDecision(trace_id=trace_id, persistence="discard", reason=reason)

    text = f"{claim.question}\n{claim.answer}"
    if len(text) > MAX_LESSON_CHARS:
        return discard(f"{claim.how}, but it is longer than a lesson ({len(text)} characters)")
    if claim.rule is not None:
        # Taken apart, a rule may hide what its words say: screened as it was said, and joined.
        text += f"\n{claim.evidence.quote}\n{claim.rule.topic} is {claim.rule.phrase}"
    if (unfit := why_unfit(text)) is not None:
        return discard(f"{claim.how}, but the text {unfit}")
    if claim.after_refusal:
        return discard(f"{claim.how}, but the reply was a refusal, and no chat changes those")
    is_feedback = claim.evidence.signal_id is not None and claim.rule is None
    if is_feedback and is_verdict(claim.answer, claim.question):
        return discard(f"{claim.how}, but it judges the answer and gives none")
    if is_praised:
        return discard(f"{claim.how}, but the same reply was praised: neither is learned")
    why_brief = _why_brief(claim)
    value = _value(claim) or (claim.answer.rstrip(".!") if why_brief else "")
    if not value:
        return discard(f"{claim.how}, but it says nothing new")
    if claim.wrong_reply and _agrees(claim.answer, claim.wrong_reply):
        return discard(f"{claim.how}, but it says that the reply was right")
    was_said = bool(claim.wrong_reply) and _holds(claim.wrong_reply, value)
    if was_said and claim.evidence.signal_id is None:
        return discard(f"{claim.how}, but the reply had said {value!r} already")
    subject = claim.rule.topic if claim.rule else subject_of(claim.question, claim.answer)
    persistence: Persistence = "session" if why_brief else "long_term"
    # A reply may be right by luck. What the model does know, seeding finds out.
    how = "feedback says it, as the reply did" if was_said else claim.how
    reason = f"{how}: {claim.answer}"
    finding = Finding(
        kind=_kind(claim),
        persistence=persistence,
        subject=subject,
        relation=relation_of(claim.question, subject),
        question=claim.question.strip(),
        answer=claim.answer.strip(),
        value=value,
        reason=reason + (f" ({why_brief})" if why_brief else ""),
        session_id=claim.session_id,
        evidence=(claim.evidence,),
    )
    decision = TraceDecision(
        trace_id=claim.evidence.trace_id, persistence=persistence, reason=finding.reason
    )
    return finding, decision


def _why_brief(claim: Claim) -> str:
    """Why a claim does not outlast its conversation; empty where it does."""
    if is_temporary(claim.evidence.quote):
        return "holds for this conversation only"
    return "concerns one person or one conversation" if claim.personal else ""


def _kind(claim: Claim) -> MemoryKind:
    if claim.rule is not None:
        return "behaviour"
    return "preference" if PREFERS.search(claim.answer) else "fact"


def _value(claim: Claim) -> str:
    if claim.rule is not None:
        return claim.rule.phrase
    if claim.is_told:
        return value_told(claim.question, claim.answer)
    return value_of(claim.question, claim.answer)


def value_told(question: str, statement: str) -> str:
    """What a statement says: what follows its verb, all of it where a deed is asked for.

    The question is the one that the statement answers, or the statement itself.
    """
    head, tail = at_verb(statement)
    if not tail and question == statement:
        # A list behind its name.
        return statement.partition(": ")[2].partition(". ")[0].rstrip(".!")
    if question == statement:
        return value_of(head, tail)
    if question.endswith(" do?") or question.startswith(ABOUT):
        return tail.strip().removeprefix("to ").partition(". ")[0].rstrip(".!")
    lead = statement.removesuffix(tail) if tail else ""
    return value_of(f"{question} {lead}", statement)


def _agrees(said: str, reply: str) -> bool:
    """Whether somebody says yes, and nothing that the reply had not said."""
    found = set(words(said))
    return bool(found & AGREES) and found <= AGREES | STOPWORDS | set(words(reply))


def _holds(text: str, value: str) -> bool:
    return f" {' '.join(words(value))} " in f" {' '.join(words(text))} "


def _nothing_claimed(
    trace: Trace, signals: Sequence[Signal], *, is_taken_back: bool
) -> TraceDecision:
    ratings = [
        signal.rating
        for signal in signals
        if signal.trace_id == trace.id and signal.rating is not None
    ]
    sources = {signal.source for signal in signals if signal.trace_id == trace.id}
    steps = steps_of(trace)
    if any(rating < 0 for rating in ratings):
        reason = "rated down without a correction: never imitated, and nothing to learn instead"
    elif sources & {"edited"}:
        reason = "the user wrote this turn anew: what it said before is taken back"
    elif is_taken_back:
        reason = "the next turn takes back what this one said"
    elif sources & {"regenerated"}:
        reason = "the user asked for another reply: never imitated, and nothing to learn instead"
    elif steps:
        reason = why_discarded(steps)
    elif is_question(trace.user_text):
        reason = "an ordinary question; nobody corrected the answer"
    else:
        reason = "ordinary chat; it teaches nothing that lasts"
    return TraceDecision(trace_id=trace.id, persistence="discard", reason=reason)
