"""Who stands for a lesson, and whether that is enough to teach it.

A teacher's word counts at once, and so does what a reviewer accepted. Otherwise a quorum of authors
must have said the same, each in words of his own: feedback can be the first word, never the second.
What only one of them said is not taught with it.
"""

from collections.abc import Iterable

from shared.contracts.memories import Authority, Evidence, Memory
from worker.lessons.identity import is_all_said_in, is_said_in

# Who outweighs any number of authors. Of what was learned before authors were kept nobody knows who
# stood for it: it gives way to these alone.
PERSONS: tuple[Authority, ...] = ("teacher", "reviewer", "legacy")


def authority_of(memory: Memory, allies: Iterable[Memory] = (), *, quorum: int) -> Authority | None:
    """Who stands for a lesson; None while nobody does whose word is enough.

    Args:
        memory: The lesson.
        allies: Lessons that say the same: their evidence speaks for it, too.
        quorum: How many authors are enough.
    """
    said = [memory, *allies]
    if any(each.reviewed_by for each in said):
        return "reviewer"
    if memory.authority == "legacy":
        return "legacy"
    if any(map(is_of_a_teacher, said)):
        return "teacher"
    evidence = [item for each in said for item in each.evidence]
    return "quorum" if num_authors(agreeing(memory, evidence)) >= quorum else None


def is_of_a_teacher(memory: Memory) -> bool:
    """Whether a teacher said a lesson in its own words, or gave the document that states it."""
    return memory.document_id is not None or any(item.by_teacher for item in memory.evidence)


def agreeing(memory: Memory, evidence: Iterable[Evidence]) -> list[Evidence]:
    """The words that give a lesson's very answer."""
    return [item for item in evidence if is_said_in(item.quote, memory)]


def as_agreed(memory: Memory, evidence: Iterable[Evidence]) -> str | None:
    """The answer that all who agree gave, if it is less than the lesson's own sentence."""
    quotes = [item.quote for item in agreeing(memory, evidence)]
    return None if is_all_said_in(quotes, memory) else f"{memory.value.rstrip('.!')}."


def num_authors(evidence: Iterable[Evidence]) -> int:
    """How many authors, who are certainly different, said it.

    Who gives only feedback counts as one together with all others who do, and only where nobody
    spoke. A key that names no author may stand for any of those that are named elsewhere.
    """
    items = [item for item in evidence if item.author]
    spoken = {item.author for item in items if item.signal_id is None}
    named = {author for author in spoken if author and author.startswith("u:")}
    return max(len(named or spoken), min(1, len(items)))


def outranks(
    memory: Memory,
    authority: Authority,
    rival: Memory,
    allies: Iterable[Memory] = (),
) -> bool | None:
    """Whether a lesson may displace another that says something else.

    To displace takes more than it took to learn: more authors than it had, a person where one stood
    for it. None where a person stands for both: then what each of them said is weighed.
    """
    theirs = rival.authority or "legacy"
    if authority in PERSONS:
        return None if theirs in PERSONS else True
    if theirs in PERSONS:
        return False
    ours = [item for each in (memory, *allies) for item in each.evidence]
    return num_authors(agreeing(memory, ours)) > num_authors(rival.evidence)
