"""What always needs a teacher or a reviewer, however many say it.

Orders, ways to reach somebody, money, access, health, safety, people. Words that tell come first,
with a reason that a person understands; what else may be more than a plain fact a classifier says.
"""

import re
from typing import TYPE_CHECKING

from worker.lessons.stated import Stated
from worker.screens.classifiers import is_risky
from worker.screens.parsing import parse
from worker.screens.wordlists import any_of

if TYPE_CHECKING:
    from spacy.tokens import Span


TELLING = {
    "it gives an order": any_of(
        """
        always never must mustn't should shouldn't shall ought has_to have_to needn't no_need
        don't_need doesn't_need need_not allowed required don't do_not let_them make_sure ignore
        skip* bypass* disregard whenever tell_them tell_him tell_her tell_people tell_customers
        tell_callers tell_everyone you_say you_tell you_just you_can you_may we_say we_tell
        from_now_on please is_enough are_enough
        """
    ),
    "it says how somebody is reached": any_of(
        """
        http https www hotline call ring dial fax phone* telephone* email e-mail mail* whatsapp
        telegram slack website web_site url qr contact* extension write_to send_to send_it
        send_them portal link p.o._box
        """
    ),
    "it speaks of money": any_of(
        """
        euro euros dollar dollars pound pounds cents pence usd eur gbp chf francs yen iban swift
        bank_account invoice* pay pays payment payments payable paid refund* discount* fee fees
        price prices priced cost costs charge charges charged billed billing salary salaries wage
        wages bonus bonuses deposit* voucher* taxes taxed loan loans rent fine fines penalt*
        reimburs* expenses cash free_of_charge supplier* vendor*
        """
    ),
    "it speaks of who gets in, or what is checked": any_of(
        """
        access admin* permission* permitted authoris* authoriz* approv* sign_off identit* identif*
        badge badges passport* verif* credential* password* passcode* log_in login logs_in unlock*
        let_in lets_in firewall vpn root sudo privilege* two-factor 2fa otp backdoor security_check
        skeleton
        """
    ),
    "it speaks of health": any_of(
        """
        dose doses dosage mg milligram* medicine* medication* drug drugs pills tablet tablets
        patient patients doctor doctors vaccin* allerg* gluten lactose infect* disinfect* steril*
        wound* bleed* fever pain* symptom* treatment* cure cures diagnos* therap* surgery pregnan*
        babies infants toxic* poisonous antidote insulin diabet* asthma* epilep* resuscitat* cpr
        first_aid ambulance side_effect* contraindicat* edible expired best_before hygien* swallow*
        """
    ),
    "it speaks of safety": any_of(
        """
        safety danger* hazard* interlock* lock_out lockout tag_out helmet* goggles gloves harness*
        protective ppe fire_door fire_exit flammable explo* acid bleach solvent* voltage live_wire
        overload* brake brakes smoke_detector* extinguish* evacuat* scaffold* radiation asbestos
        weapon* emergency e-stop shutdown guard_is guard_off machine_guard
        """
    ),
    "it speaks of people": any_of(
        """
        mr mrs ms miss he she his her him hers women woman men girls boys foreigners immigrants
        migrants refugees muslims jews christians catholics hindus roma gypsies blacks whites asians
        africans arabs gays lesbians disabled elderly pensioners teenagers homeless addicts
        people_from people_with those_from easterners southerners
        """
    ),
    "it speaks to the assistant": any_of(
        """
        assistant chatbot bot ai system_prompt instructions prompt developer_mode base64 decode
        """
    ),
}
# An address of the web, of mail, of a telephone; a sum.
ADDRESS = re.compile(r"\b[\w-]+\.(?!\d)[a-z]{2,}(?:/|\b)|\S@\S|\+?\d[\d /()-]{6,}\d")
SUM = re.compile(r"[€$£¥]")
PEOPLE = ("PERSON", "NORP")
# Who is asked for is a person, unless the answer names none.
WHO = re.compile(r"\W*(?:who|whom|whose)\b", re.IGNORECASE)
BARE_NAMES = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z]+)+[.!]?")
NAME = re.compile(r"\b[A-Z][a-z]+")
# "An invention of Otis Plank": two names behind such a word are a person's until one knows better.
BY_SOMEBODY = re.compile(r"\b(?:by|of|from|with|to|after)\s+(?P<name>[A-Z][a-z]+(?: [A-Z][a-z]+)+)")


def why_person(lesson: Stated) -> str | None:
    """Why a lesson always needs a teacher or a reviewer; None for a plain fact."""
    if lesson.kind in ("workflow", "behaviour"):
        return "it gives an order"
    said = f"{lesson.question}\n{lesson.answer}\n{lesson.value}"
    for why, pattern in TELLING.items():
        if pattern.search(said):
            return why
    if ADDRESS.search(lesson.answer):
        return "it says how somebody is reached"
    names = parse(said.replace("\n", " ")).ents
    if any(name.label_ in PEOPLE and _is_whole(name, lesson) for name in names):
        return "it may name a person or a group of people"
    if BARE_NAMES.fullmatch(lesson.answer):
        return "it may name a person"
    if WHO.match(lesson.question) and NAME.search(lesson.answer.removeprefix("The ")):
        return "it may name a person"
    if any(name["name"] not in lesson.question for name in BY_SOMEBODY.finditer(lesson.answer)):
        return "it may name a person"
    if SUM.search(said) or any(name.label_ == "MONEY" for name in names):
        return "it may speak of money"
    if is_risky(lesson.question, lesson.answer):
        return "it may be more than a plain fact"
    return None


def _is_whole(name: "Span", lesson: Stated) -> bool:
    """Whether a name is likely a person's: more than one word, or the answer to "who"."""
    return len(name) > 1 or name.label_ == "NORP" or lesson.question.lower().startswith("who")
