"""Units, months, parts of the day and small numbers, in the words of several languages."""

import re

CURRENCIES = {
    "€": "€", "euro": "€", "euros": "€", "eur": "€", "ユーロ": "€",
    "£": "£", "pound": "£", "pounds": "£", "gbp": "£", "quid": "£",
    "$": "$", "dollar": "$", "dollars": "$", "usd": "$",
    "¥": "¥", "yen": "¥", "円": "¥",
    "percent": "%", "prozent": "%",
}  # fmt: skip
SCALES = {
    "k": 1e3, "thousand": 1e3, "tausend": 1e3, "mille": 1e3, "mil": 1e3,
    "million": 1e6, "millions": 1e6, "millionen": 1e6, "millones": 1e6,
    "billion": 1e9, "dozen": 12.0,
}  # fmt: skip

_TIME = {
    ("kmh", 1): "kmh",
    ("mph", 1): "mph",
    ("degc", 1): "degc",
    ("degf", 1): "degf",
    ("second", 1): "second seconds sec secs sekunde sekunden seconde secondes segundo segundos",
    ("second", 60): "minute minutes min mins minuten minuto minutos",
    ("second", 3600): "hour hours hr hrs stunde stunden heure heures hora horas",
    ("second", 86400): "day days tag tage tagen jour jours dia dias",
    ("second", 604800): "week weeks woche wochen semaine semaines semana semanas",
    ("second", 1209600): "fortnight fortnights",
    ("month", 1): "month months monat monate monaten mois mes meses",
    ("month", 3): "quarter quarters quartal quartale",
    ("month", 12): "year years jahr jahre jahren an ans annee annees ano anos",
    ("metre", 0.001): "mm millimetre millimetres millimeter millimeters",
    ("metre", 0.01): "cm centimetre centimetres centimeter centimeters zentimeter",
    ("metre", 1): "m metre metres meter meters metern metro metros",
    ("metre", 1000): "km kilometre kilometres kilometer kilometers kilometern kilometro kilometros",
    ("mile", 1): "mile miles",
    ("gram", 1): "g gram grams gramm gramme grammes gramo gramos",
    ("gram", 1000): "kg kilo kilos kilogram kilograms kilogramm kilogramme",
    ("gram", 1_000_000): "tonne tonnes",
    ("litre", 0.001): "ml millilitre millilitres milliliter milliliters",
    ("litre", 0.01): "cl",
    ("litre", 1): "l litre litres liter liters litro litros",
    ("working day", 1): "arbeitstag arbeitstage arbeitstagen werktag werktage werktagen",
}
UNITS: dict[str, tuple[str, float]] = {
    word: unit for unit, words in _TIME.items() for word in words.split()
} | {
    "working day": ("working day", 1),
    "working days": ("working day", 1),
    "working hours": ("second", 3600),
}

MONTHS = {
    word: number
    for words in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "januar februar marz april mai juni juli august september oktober november dezember",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    )
    for number, word in enumerate(words.split(), 1)
} | {"sept": 9}

# From and to which hour.
PARTS_OF_DAY = {
    "morning": (0, 12), "morgens": (0, 12), "vormittags": (0, 12), "matin": (0, 12),
    "manana": (0, 12),
    "afternoon": (12, 19), "nachmittags": (12, 19), "apres": (12, 19), "tarde": (12, 21),
    "evening": (16, 24), "abends": (16, 24), "soir": (16, 24), "noche": (18, 24),
    "night": (18, 24), "nachts": (0, 6), "am": (0, 12), "pm": (12, 24),
}  # fmt: skip

# A small number in words is mostly no figure ("one of them"), so it is compared with one only here.
NUMBER_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "ein": 1, "eine": 1, "einen": 1, "einem": 1, "einer": 1, "eins": 1, "zwei": 2, "drei": 3,
    "un": 1, "une": 1, "uno": 1, "una": 1, "deux": 2, "trois": 3, "dos": 2, "tres": 3,
    "both": 2, "single": 1, "once": 1, "twice": 2,
}  # fmt: skip

_HOUR = r"(?P<h>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
HALF_HOURS = tuple(
    (re.compile(pattern, re.IGNORECASE), minutes)
    for pattern, minutes in (
        (rf"\bhalf[ -]past {_HOUR}\b", 30),
        (rf"\b(?:a )?quarter past {_HOUR}\b", 15),
        (rf"\b(?:a )?quarter to {_HOUR}\b", -15),
        (rf"\bten past {_HOUR}\b", 10),
        (rf"\btwenty past {_HOUR}\b", 20),
        (rf"\bten to {_HOUR}\b", -10),
        (rf"\btwenty to {_HOUR}\b", -20),
    )
)

MINUTES_PAST = re.compile(
    r"\b(?P<m>five|ten|twenty-five|twenty|\d{1,2})(?: minutes)? (?P<way>past|to) "
    r"(?P<h>one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b",
    re.IGNORECASE,
)
ORDINALS = {
    "first": "1st",
    "second": "2nd",
    "third": "3rd",
    "premier": "1",
    "erster": "1",
    "ersten": "1",
    "primero": "1",
}
_SPAN = "hour|minute|day|week|month|year|kilo|lit(?:re|er)|met(?:re|er)|mile"
_HORA = r"una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|\d{1,2}"
_SPANISH = {
    "una": 1,
    "dos": 2,
    "tres": 3,
    "cuatro": 4,
    "cinco": 5,
    "seis": 6,
    "siete": 7,
    "ocho": 8,
    "nueve": 9,
    "diez": 10,
    "once": 11,
    "doce": 12,
}
# What is said in other words than a number and a unit, as they would say it.
SAID_OTHERWISE = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (
            rf"\b(?:an?|1|one) ({_SPAN})s? and a half\b",
            r"1.5 \1s",
        ),
        (
            rf"\b(\d+) and a half ({_SPAN})s?\b",
            r"\1.5 \2s",
        ),
        (r"\b(?:a )?quarter of (?:an?|1|one) (hour|kilo|litre|mile|year)\b", r"0.25 \1s"),
        (r"\b(?:three|3)[ -]quarters of (?:an?|1|one) (hour|kilo|litre|mile|year)\b", r"0.75 \1s"),
        (r"\bmedio (kilo|litro|metro|dia|mes)\b", r"0.5 \1"),
        (r"\bmedia hora\b", "0.5 horas"),
        (r"\beine[rn]? halben? (stunde)\b", r"0.5 stunden"),
        (
            rf"\b(las?) ({_HORA}) y media\b",
            lambda m: f"{m[1]} {_SPANISH.get(m[2].lower(), m[2])}:30",
        ),
        (r"\bkilomet(?:re|er)s? (?:per|an) hour\b|\bkm/h\b|\bkph\b", "kmh"),
        (r"\bmiles? (?:per|an) hour\b|\bmph\b", "mph"),
        (r"\b(?:two|2) times\b", "twice"),
        (r"\b(?:one|1) time\b", "once"),
        (r"\b(once|twice|times|€|£|\$|euros?|pounds?|dollars?) (?:per|each|every)\b", r"\1 a"),
        (r"\b(?:every|each) (day|week|month|year)\b", r"\1ly"),
        (r"\b(\d+)\s*(?:dollars|\$) and (\d{2}) cents\b", r"\1.\2 dollars"),
        (r"\b(\d+)\s*(?:euros?|€) and (\d{2}) cents?\b", r"\1.\2 euros"),
        (r"\b(\d+)\s*(?:pounds?|£) and (\d{2}) pence\b", r"\1.\2 pounds"),
        (r"\b(?:three|3)[ -](?:quarters|4ths)\b", "75 %"),
        (r"\b(?:an?|one) quarter of the\b", "25 % of the"),
        (r"\bhalf of\b|^half$", "50 % of"),
        (r"\ba decade\b", "10 years"),
        (r"\ba century\b", "100 years"),
        (r"\ba dozen\b", "12"),
        (r"\bhalf a dozen\b", "6"),
        (r"\banderthalb\b|\beineinhalb\b", "1.5"),
        (r"°\s?c\b|\bdegrees (?:celsius|centigrade)\b", "degc"),
        (r"°\s?f\b|\bdegrees fahrenheit\b", "degf"),
        (r"\bdaily\b", "dayly"),
        (r"\bannually\b", "yearly"),
        (r"\bnone(?: at all)?\b(?= ?[.,!]|$)", "0"),
    )
)
