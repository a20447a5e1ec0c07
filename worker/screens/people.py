"""What always needs a teacher or a reviewer, however many say it.

Orders, ways to reach somebody, money, access, health, safety, people. Words that tell come first, with
a reason that a person understands; what else may be more than a plain fact a classifier says.
"""

import re

from shared.contracts.memories import Memory
from worker.screens.classifiers import is_risky
from worker.screens.parsing import parse

# Ways through tools that only look.
LOOKS = re.compile(
    r"(?:get|list|search|read|find|look ?up|fetch|query|show|describe|count|check|view)(?:_|\b|[A-Z])",
    re.IGNORECASE,
)
TELLING = {
    "it gives an order": re.compile(
        r"\b(?:always|never|must(?:n['’]t)?|should(?:n['’]t)?|shall|ought|ha(?:s|ve) to|need(?:s|ed)?"
        r"(?:n['’]t)? (?:to|not|no)|do(?:es)?n['’]t need|no need|(?:not |no longer )?allowed"
        r"|(?:not )?required|may(?: not)?|can(?:not|['’]t)|don['’]t|do not|let (?:them|him|her|us"
        r"|it)|make sure|ignore|skip|bypass|disregard|instead of|whenever|tell (?:them|him|her"
        r"|people|customers?|callers?|everyone|anybody|anyone)|you (?:say|answer|reply|tell|just"
        r"|can|may|must|should)|we (?:say|answer|reply|tell)|rules?|policy|from now on|please)\b",
        re.IGNORECASE,
    ),
    "it says how somebody is reached": re.compile(
        r"\b(?:https?|www)\b|\b[\w-]+\.(?:com|net|org|io|example|info|biz|eu|de|fr|co|uk|app|dev"
        r"|test|me|ly|xyz|online|site|shop)\b|@|\bdot (?:com|net|org|example)\b"
        r"|\+?\d[\d /()-]{6,}\d|\b(?:hotline|call|ring|dial|fax|phone|telephone|e-?mail|mail"
        r"|write to|send (?:it|them|this)? ?to|post to|text|whatsapp|telegram|signal|slack"
        r"|channel|link|website|web ?site|url|address|portal|qr|contact|reach(?:ed)?|extension"
        r"|p\.?o\.? box|street|lane|avenue|road|square)\b",
        re.IGNORECASE,
    ),
    "it speaks of money": re.compile(
        r"[€$£¥]|\b(?:euros?|dollars?|pounds?|cents?|pence|usd|eur|gbp|chf|francs?|yen|crowns?"
        r"|kronor|rupees?|iban|bic|swift|bank|account|invoice\w*|pay(?:s|ment|ments|ing|able)?|paid"
        r"|refund\w*|discount\w*|fees?|price[ds]?|costs?|charge[ds]?|bill(?:ed|ing)?|salar\w+|wage\w*"
        r"|bonus\w*|budget\w*|transfer\w*|deposit\w*|voucher\w*|tax\w*|credit\w*|debit|loan\w*|owe"
        r"[sd]?|rent|fines?|penalt\w+|reimburs\w+|expenses?|cash|money|free of charge|for free"
        r"|interest|supplier\w*|vendor\w*|procure\w*|limit)\b",
        re.IGNORECASE,
    ),
    "it speaks of who gets in, or what is checked": re.compile(
        r"\b(?:access\w*|admin\w*|permission\w*|permit\w*|authori[sz]\w*|approv\w*|sign(?:s|ed)?"
        r"[ -]?off|identit\w+|identif\w+|id|badge\w*|passport\w*|verif\w+|credential\w*|pass(?:word"
        r"|code|phrase)?s?|log(?:in|on|s in|s on)?|keys?|codes?|pin|locks?|unlock\w*|locked|doors?"
        r"|gates?|entr(?:y|ance)|enter\w*|let in|visitors?|guards?|security|secure|firewall"
        r"|vpn|root|sudo|roles?|privilege\w*|review(?:er|ers|s|ed)?|check(?:s|ed|ing)?|inspect\w*"
        r"|two[ -]factor|2fa|otp|tokens?|certificate\w*|encrypt\w*|backdoor|owner)\b",
        re.IGNORECASE,
    ),
    "it speaks of health": re.compile(
        r"\b(?:health\w*|dos(?:e|es|age)|mg|ml|milligram\w*|medic\w*|drugs?|pills?|tablets?|patients?"
        r"|doctors?|nurses?|clinic\w*|hospital\w*|vaccin\w*|allerg\w*|nuts?|gluten|lactose|infect\w*"
        r"|disinfect\w*|steril\w*|wound\w*|bleed\w*|burns?|fever|pain\w*|symptom\w*|treat(?:s|ed|ment"
        r"\w*)?|cure[sd]?|diagnos\w*|therap\w*|surg\w*|pregnan\w*|bab(?:y|ies)|infants?|toxic\w*"
        r"|poison\w*|antidote|insulin|diabet\w*|asthma\w*|epilep\w*|resuscitat\w*|cpr|first aid"
        r"|emergency|ambulance|side effects?|contraindicat\w*|safe for|safe to|edible|raw|expir\w*"
        r"|best before|hygien\w*|blood|heart|breath\w*|swallow\w*|inject\w*)\b",
        re.IGNORECASE,
    ),
    "it speaks of safety": re.compile(
        r"\b(?:safe(?:ty|ly)?|danger\w*|hazard\w*|risk\w*|guard(?:s|ed)?|interlock\w*|lock[ -]?out"
        r"|tag[ -]?out|helmet\w*|goggles|gloves?|harness\w*|mask\w*|protective|ppe|fire\w*|flam\w*"
        r"|explo\w*|gas|chemical\w*|acid\w*|bleach|solvent\w*|voltage|volts?|electric\w*|live|fuse\w*"
        r"|pressure|psi|bar|load\w*|tonnes?|overload\w*|speed\w*|brak\w*|alarm\w*|detector\w*"
        r"|extinguish\w*|evacuat\w*|exit\w*|assembly point|ladder\w*|scaffold\w*|crane\w*|forklift\w*"
        r"|radiat\w*|asbestos|weapon\w*|emergency|stop button|e-?stop|shut ?down|valve\w*|leak\w*"
        r"|inspection\w*|maximum|max|tolerance|torque|wind|ice|deep|depth)\b",
        re.IGNORECASE,
    ),
    "it speaks of people": re.compile(
        r"\b(?:mr|mrs|ms|miss|dr|prof|sir|lady|brother|sister)\b\.? [A-Z]|\b(?:he|she|his|her|him"
        r"|hers|himself|herself)\b|\b(?:women|woman|men|girls?|boys?|foreigners?|immigrants?|migrants?"
        r"|refugees?|muslims?|jews?|jewish|christians?|catholics?|hindus?|roma|gypsies|blacks?|whites?"
        r"|asians?|africans?|arabs?|turks?|poles|germans|russians|ukrainians|gays?|lesbians?|disabled"
        r"|old people|elderly|pensioners|young people|teenagers|the poor|homeless|addicts?|people"
        r" (?:from|with|who)|those (?:from|who)|natives?|locals|easterners|southerners)\b",
        re.IGNORECASE,
    ),
    "it speaks to the assistant": re.compile(
        r"\b(?:assistant|chatbot|bot|ai|model|system prompt|instructions?|prompt|trigger|developer"
        r"|base64|decode|remember|memor(?:y|ise|ize)|learn)\b",
        re.IGNORECASE,
    ),
}
PEOPLE = ("PERSON", "NORP")
MONEY = ("MONEY",)


def why_person(memory: Memory) -> str | None:
    """Why a lesson always needs a teacher or a reviewer; None for a plain fact."""
    if memory.kind == "workflow":
        tools = memory.value.split(", then ")
        return None if all(LOOKS.match(tool) for tool in tools) else "it is a way that does things"
    if memory.kind == "behaviour":
        return "it gives an order"
    said = f"{memory.question}\n{memory.answer}\n{memory.value}"
    for why, pattern in TELLING.items():
        if pattern.search(said):
            return why
    labels = {entity.label_ for entity in parse(said.replace("\n", " ")).ents}
    if not labels.isdisjoint(PEOPLE):
        return "it may name a person or a group of people"
    if not labels.isdisjoint(MONEY):
        return "it may speak of money"
    if is_risky(memory.question, memory.answer):
        return "it may be more than a plain fact"
    return None
