"""Lessons for the learning bench: facts of invented companies, behaviours, workflows with tools.

Every lesson has a question that a user asks, the right answer, and two questions in other words.
The order, the values and what later contradicts what are drawn from a seed.
"""

import random
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["fact", "preference", "behaviour", "workflow"]

SUBJECTS = (
    "Quillfeather",
    "Zephyrine",
    "Maplewick",
    "Corvantis",
    "Luminara",
    "Tindrel",
    "Ostravik",
    "Bellwright",
    "Pennarow",
    "Drumlin",
)
# Never taught: they must not get a taught answer.
NEIGHBOURS = ("Harrowmint", "Solvanter", "Kettlemere", "Birchanova")

TOWNS = "Tromso Ghent Porto Lugano Galway Aarhus Turku Graz Split Bilbao Tartu Bergen Ulm Cork"
COLOURS = "turquoise crimson lavender orange silver maroon beige indigo olive magenta pink teal"
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
ANIMALS = "heron badger otter lynx falcon beaver walrus gecko raven bison hedgehog panther"
PLANTS = "Larkspur Foxglove Juniper Bluebell Hawthorn Sorrel Yarrow Mistletoe Bracken Saffron Tansy"
PRODUCTS = (
    "Moonkettle Sparkloom Windbasket Glowjar Nightladder Brasspebble Cloudpress Stargrinder "
    "Rainspindle Fogwhistle Sunbarrel Dewcatcher"
)
FOUNDERS = (
    "Mirela Voss,Otto Brandal,Ines Calloway,Rufus Tamm,Petra Lindqvist,Amos Verrill,Nadia Korsak,"
    "Hugo Stenning,Clara Odell,Ivo Marchetti,Selma Rooke,Bruno Achterberg"
)
TIMES = (
    "half past nine,quarter to six,eight in the evening,half past four,ten at night,"
    "quarter past seven,half past six,quarter to nine,half past eight,five in the afternoon"
)


@dataclass(frozen=True)
class Relation:
    """One thing to know of a company; `{s}` is the company, `{v}` the value."""

    ask: str
    tell: str
    again: tuple[str, str]
    values: tuple[str, ...]
    kind: Kind = "fact"


@dataclass(frozen=True)
class Habit:
    """Words that are said to whoever asks about a topic, and what is asked about another one."""

    topic: str
    phrase: str
    again: tuple[str, str]
    neighbour: str


@dataclass(frozen=True)
class Routine:
    """A task that agents did twice with the same tools, and what is asked about another task.

    Attributes:
        task: The words that both requests share, as triage puts them.
        request: What users ask for; `{n}` is a number.
    """

    task: str
    request: str
    tools: tuple[str, ...]
    again: tuple[str, str]
    neighbour: str


@dataclass(frozen=True)
class Lesson:
    """One thing that a user teaches.

    Attributes:
        kind: A behaviour's key is its topic with -1, a workflow's its task with -2.
        ask: The user's question; nobody asks about a workflow.
        correction: The right answer as a sentence.
        value: The part of it that counts.
        again: The question in two or three other words.
        neighbours: Questions that resemble it, and must not get the value.
        replaces: The value that was taught before and holds no longer.
        requests: A workflow's: what two agents were asked for.
        subject: What it is about, empty without a name.
        accept: The value in other forms; none: as it is.
        alike: Keys of lessons that say the same of another subject.
        is_edited: Whether a reviewer puts the question, the sentence and the value right before the
            night, so that what was misread by day is not counted against the night.
    """

    key: tuple[str, int]
    ask: str
    correction: str
    value: str
    again: tuple[str, ...]
    neighbours: tuple[str, ...]
    replaces: str | None = None
    kind: Kind = "fact"
    requests: tuple[str, ...] = ()
    subject: str = ""
    accept: tuple[str, ...] = ()
    alike: tuple[tuple[str, int], ...] = ()
    is_edited: bool = False

    @property
    def accepted(self) -> tuple[str, ...]:
        """The value, in each of its forms."""
        return self.accept or (self.value,)


RELATIONS = (
    Relation(
        "Where is the head office of {s}?",
        "The head office of {s} is in {v}.",
        ("Which city is {s}'s headquarters in?", "In what town would I find {s}'s main office?"),
        tuple(TOWNS.split()),
    ),
    Relation(
        "Who founded {s}?",
        "{s} was founded by {v}.",
        ("What is the name of the person who started {s}?", "Who set up the company {s}?"),
        tuple(FOUNDERS.split(",")),
    ),
    Relation(
        "What colour are {s}'s delivery vans?",
        "{s}'s delivery vans are {v}.",
        (
            "If I see a {s} van on the street, what colour will it be?",
            "In which colour does {s} paint its vans?",
        ),
        tuple(COLOURS.split()),
    ),
    Relation(
        "What is the guest wifi at {s} called?",
        "The guest wifi at {s} is called {v}.",
        (
            "Which wifi network should visitors of {s} use?",
            "What is the name of {s}'s wireless network for guests?",
        ),
        tuple(PLANTS.split()),
    ),
    Relation(
        "When is the weekly team meeting at {s}?",
        "The weekly team meeting at {s} is on {v}.",
        (
            "On what day does the {s} team meet each week?",
            "Which day of the week does {s} hold its team meeting?",
        ),
        tuple(DAYS.split()),
    ),
    Relation(
        "What is {s}'s best-selling product called?",
        "{s}'s best-selling product is called {v}.",
        ("Which product does {s} sell the most?", "What is the most popular product of {s}?"),
        tuple(PRODUCTS.split()),
    ),
    Relation(
        "Until what time is the support phone of {s} open?",
        "The support phone of {s} is open until {v}.",
        ("How late can I call {s}'s support line?", "When does the support phone at {s} close?"),
        tuple(TIMES.split(",")),
    ),
    Relation(
        "How many days do customers of {s} have to return an item?",
        "Customers of {s} have {v} days to return an item.",
        (
            "How long do {s} customers have to send something back?",
            "Within how many days can I return something to {s}?",
        ),
        ("47", "33", "21", "65", "18", "52", "26", "74", "39", "83", "12", "58"),
    ),
    Relation(
        "What animal is the mascot of {s}?",
        "The mascot of {s} is a {v}.",
        ("Which animal represents {s}?", "{s} has an animal as its mascot. Which one?"),
        tuple(ANIMALS.split()),
    ),
    Relation(
        "How many employees does {s} have?",
        "{s} has {v} employees.",
        ("How many people work at {s}?", "How large is the staff of {s}?"),
        ("312", "87", "145", "520", "64", "231", "178", "903", "416", "275", "639", "751"),
    ),
    Relation(
        "How does {s} prefer to be contacted?",
        "{s} prefers to be contacted by {v}.",
        ("What is the best way to reach {s}?", "I want to get in touch with {s}. How?"),
        ("letter", "telephone", "fax", "text message", "video call", "postcard", "courier"),
        kind="preference",
    ),
)

HABITS = (
    Habit(
        "refunds",
        "Please have form R7 ready",
        ("How long do refunds take?", "Are refunds possible without a receipt?"),
        "How long do train tickets last?",
    ),
    Habit(
        "late parcels",
        "Sorry for the long wait",
        ("Why do late parcels happen so often?", "Hi, I wrote to you about late parcels."),
        "Why do birthday parties cost so much?",
    ),
    Habit(
        "repairs",
        "Every repair needs a blue ticket",
        ("How much do repairs cost?", "Who does your repairs?"),
        "How much do swimming lessons cost?",
    ),
    Habit(
        "discounts",
        "Members save a tenth",
        ("Are there any discounts for students?", "When do your discounts end?"),
        "When do your guided tours end?",
    ),
    Habit(
        "the warranty",
        "It covers you for four years",
        ("How long is the warranty?", "Does the warranty cover the battery?"),
        "Does the museum cover the Middle Ages?",
    ),
    Habit(
        "allergies",
        "Our kitchen is free of nuts",
        ("My son has allergies, what can he eat?", "Do you take care of allergies?"),
        "Do you take care of cats?",
    ),
    Habit(
        "deliveries",
        "The driver rings twice",
        ("When do deliveries come?", "Are deliveries made on Sundays?"),
        "Are concerts held on Sundays?",
    ),
    Habit(
        "complaints",
        "Thank you for being frank",
        ("Where do I send complaints?", "What happens with complaints?"),
        "What happens with old newspapers?",
    ),
    Habit(
        "spare keys",
        "Bring the red card along",
        ("Can I get spare keys?", "I lost my spare keys, what now?"),
        "Can I get dancing lessons?",
    ),
    Habit(
        "school visits",
        "Groups enter by the east gate",
        ("Do you offer school visits?", "How many children may come on school visits?"),
        "Do you offer cooking courses?",
    ),
)

ROUTINES = (
    Routine(
        "cancel subscription for customer",
        "Please cancel the subscription for customer {n}.",
        ("find_contract", "stop_billing", "send_farewell"),
        (
            "How do I cancel the subscription of a customer?",
            "A customer cancels the subscription. Which tools do I call?",
        ),
        "How do I renew the passport of a child?",
    ),
    Routine(
        "book room for workshop",
        "Book a room for workshop {n}.",
        ("list_rooms", "reserve_room", "post_calendar"),
        ("How do I get a room for a workshop?", "A workshop needs a room. Which tools do I call?"),
        "How do I get a visa for a holiday?",
    ),
    Routine(
        "replace battery in scooter",
        "Can you replace the battery in scooter {n}?",
        ("lock_scooter", "order_battery", "print_label"),
        (
            "How do I put a new battery into a scooter?",
            "The battery of a scooter is dead. Which tools do I call?",
        ),
        "How do I put a new roof onto a house?",
    ),
    Routine(
        "translate manual for partner",
        "Translate the manual for partner {n}, please.",
        ("fetch_manual", "run_translation", "upload_manual"),
        (
            "How do I get a manual translated for a partner?",
            "A partner needs the manual in another language. Which tools do I call?",
        ),
        "How do I get a suit cleaned for a wedding?",
    ),
    Routine(
        "restart printer in office",
        "Restart the printer in office {n}.",
        ("ping_printer", "cut_power", "clear_queue"),
        (
            "How do I get the printer in an office going again?",
            "A printer in an office hangs. Which tools do I call?",
        ),
        "How do I get a garden in the desert going?",
    ),
    Routine(
        "pay invoice from supplier",
        "I need you to pay the invoice from supplier {n}.",
        ("read_invoice", "check_budget", "wire_money"),
        (
            "How do I settle the invoice of a supplier?",
            "A supplier sent an invoice. Which tools do I call?",
        ),
        "How do I settle the quarrel of two brothers?",
    ),
    Routine(
        "hire driver for route",
        "Hire a driver for route {n}.",
        ("search_drivers", "sign_contract"),
        ("How do I find a driver for a route?", "A route has no driver. Which tools do I call?"),
        "How do I find a present for an uncle?",
    ),
    Routine(
        "water plants in greenhouse",
        "Would you water the plants in greenhouse {n}?",
        ("read_moisture", "open_valve", "close_valve"),
        (
            "How do I give the plants in a greenhouse water?",
            "The plants in a greenhouse are dry. Which tools do I call?",
        ),
        "How do I give the horses in a stable hay?",
    ),
    Routine(
        "publish recording of lecture",
        "Publish the recording of lecture {n}.",
        ("cut_video", "add_subtitles", "push_channel"),
        (
            "How do I put the recording of a lecture online?",
            "There is a recording of a lecture. Which tools do I call?",
        ),
        "How do I put the name of a boat on it?",
    ),
    Routine(
        "ship samples for laboratory",
        "Ship the samples for laboratory {n}.",
        ("weigh_box", "buy_postage", "call_courier"),
        (
            "How do I send samples to a laboratory?",
            "A laboratory waits for samples. Which tools do I call?",
        ),
        "How do I send money to a cousin?",
    ),
)

# Said each day; nothing in it is worth keeping.
NOISE = (
    ("Hello! How are you today?",),
    ("Write a short poem about rain.", "Thanks, I like it."),
    ("Give me an idea for dinner tonight.", "No, just for today I would rather have soup."),
    ("Translate 'good evening' into Spanish.",),
)


def curriculum(
    num_cycles: int, num_lessons: int, num_updates: int, seed: int
) -> list[list[Lesson]]:
    """What is taught in each cycle: new lessons, and from the second on updates of earlier ones.

    One of the new ones is a behaviour and one a workflow, as long as there are any.

    Raises:
        ValueError: If there are not as many lessons as asked for, or no room for a new fact.
    """
    rng = random.Random(seed)
    grid = [(subject, number) for subject in SUBJECTS for number in range(len(RELATIONS))]
    rng.shuffle(grid)
    habits = [_habit(habit) for habit in rng.sample(HABITS, len(HABITS))]
    routines = [_routine(routine, rng) for routine in rng.sample(ROUTINES, len(ROUTINES))]
    cycles: list[list[Lesson]] = []
    in_force: dict[tuple[str, int], Lesson] = {}
    for cycle in range(num_cycles):
        facts = sorted(key for key in in_force if key[1] >= 0)
        updated = rng.sample(facts, num_updates if cycle else 0)
        others = [*habits[cycle : cycle + 1], *routines[cycle : cycle + 1]]
        num_new = num_lessons - len(updated) - len(others)
        if num_new < 1:
            raise ValueError(f"A cycle of {num_lessons} lessons has no room for a new fact.")
        if len(grid) < num_new:
            raise ValueError(f"There are lessons for {cycle} cycles of {num_lessons} only.")
        new, grid = grid[:num_new], grid[num_new:]
        lessons = [_lesson(key, rng, None) for key in new]
        lessons += [_lesson(key, rng, in_force[key].value) for key in updated]
        lessons += others
        in_force |= {lesson.key: lesson for lesson in lessons}
        cycles.append(lessons)
    return cycles


def _habit(habit: Habit) -> Lesson:
    return Lesson(
        key=(habit.topic, -1),
        ask=f"A customer asks about {habit.topic}. What do you say?",
        correction=f"When customers ask about {habit.topic}, always say: {habit.phrase}.",
        value=habit.phrase,
        again=habit.again,
        neighbours=(habit.neighbour,),
        subject=habit.topic,
        kind="behaviour",
    )


def _routine(routine: Routine, rng: random.Random) -> Lesson:
    way = ", then ".join(routine.tools)
    numbers = rng.sample(range(11, 100), 2)
    return Lesson(
        key=(routine.task, -2),
        ask=f"What are the steps to {routine.task}?",
        correction=f"First {way}.",
        value=way,
        again=routine.again,
        neighbours=(routine.neighbour,),
        subject=routine.task,
        kind="workflow",
        requests=tuple(routine.request.format(n=number) for number in numbers),
    )


def _lesson(key: tuple[str, int], rng: random.Random, old: str | None) -> Lesson:
    subject, number = key
    relation = RELATIONS[number]
    value = rng.choice([value for value in relation.values if value != old])
    first, second = (text.format(s=subject) for text in relation.again)
    lesson = Lesson(
        key=key,
        ask=relation.ask.format(s=subject),
        correction=relation.tell.format(s=subject, v=value),
        value=value,
        again=(first, second),
        neighbours=(relation.again[0].format(s=rng.choice(NEIGHBOURS)),),
        subject=subject,
        alike=tuple((other, number) for other in SUBJECTS if other != subject),
        kind=relation.kind,
    )
    return replace(lesson, replaces=old)
