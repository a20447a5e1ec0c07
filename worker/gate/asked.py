"""The gate's own names, relations, topics and tasks, to ask about what nobody taught.

No string of it may be one that trains or that a bench asks (`tests/worker/test_sources.py`).
"""

# Town-like, person-like and made-up, as companies, streets, ships and rooms are called.
NAMES = """
    Abernethy Aldwyck Arkady Bannerman Belvoir Brockhurst Calloway Carrickfergus Chiswell
    Corrigan Dalrymple Deverell Dunmurry Ellesmere Eskdalemuir Fairweather Finnegan Galbraith
    Garroway Glendower Hathersage Hawksworth Inverarity Jellicoe Kirkbride Kilbracken Lanyard
    Lascelles Lindqvist Marchbanks Meriwether Mulgrew Netherby Norrington Oakeshott Ottersley
    Pemberley Penhaligon Quennell Ravensworth Rothbury Rushcliffe Sandringay Skelmersdale
    Strathaven Tavistoke Thackeray Trelawney Ullapoole Uttoxeter Verinder Wainscott Whitcombe
    Wolverley Yarborough Zelenka
    """.split()
RELATIONS = (
    "Does {s} have a website?",
    "Who designed the logo of {s}?",
    "How many windows has {s}?",
    "What is the postcode of {s}?",
    "Which bank does {s} use?",
    "What did visitors complain about at {s} last year?",
    "Which newspaper wrote about {s}?",
    "What is the floor of {s} covered with?",
    "Can dogs come along to {s}?",
    "Which year was the best for {s}?",
    "Who was the first guest of {s}?",
    "How noisy is {s}?",
    "Which award did {s} win?",
    "What do people say about {s}?",
    "Which firm insures {s}?",
    "What stands on the sign of {s}?",
)
# None of them trains, nor stands in what the demo asks.
# What else a firm, a house or a person has, and how things are told apart.
THINGS = """
    accordion aisle almanac anchor annex appendix arcade archive armchair attic auditorium awning
    balcony banister banner bathroom booth brochure canopy catalogue cellar chandelier
    cloakroom compass conveyor courtyard crane cradle diary doorbell doormat dungeon elevator
    escalator fountain freezer gutter hammock hangar headquarters honeymoon intercom
    invoice kettle kiosk lantern launderette letterhead lounge mailbox mattress microwave
    minibar monument mural notebook ornament parade passage pillow playground podium porch
    postbox projector quilt rebate receptionist reservoir saddle scaffold sculpture shutter
    skylight spokesman staircase statue suburb surcharge telescope timetable trophy turnstile
    umbrella vestibule videotape waistcoat wardrobe washbasin windmill
    """.split()
QUALITIES = """
    annual antique budget busiest closest dearest emergency experimental fanciest finest
    fourth-largest hourly imported latest lightest newest nightly northern optional outdated
    priciest provisional rarest rejected safest second-best seasonal shortest southern strangest
    tallest thickest unofficial unsold
    """.split()
# What to find in a question, and what may stand there instead.
SETTINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"\b((?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)",
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    ),
    (
        r"\b(January|February|March|April|June|July|August|September|October|November|December)\b",
        ("January", "March", "June", "August", "October", "December"),
    ),
    (r"\b(spring|summer|autumn|winter)\b", ("spring", "summer", "autumn", "winter")),
    (r"\b(first|second|third|fourth)\b", ("first", "second", "third", "fifth", "sixth")),
    (r"\b(morning|evening|night)\b", ("morning", "evening", "night", "afternoon")),
    (r"(?<![\w.])(\d{1,4})\b", ("17", "38", "64", "210", "905")),
)
ELSEWHERE = (
    "How is it at {n}: {l}?",
    "My cousin works at {n}. {q}, over there?",
    "{q}, according to the rules of {n}?",
    "For {n} this time: {l}?",
    "Usually, in this country, {l}?",
    "{q}, if you are not with us but with {n}?",
)
NEAR_TOPICS = (
    "memberships,surcharges,exchanges,reservations,cloakrooms,receipts,lost tickets,"
    "group rates,waiting lists,spare parts,opening times,damaged boxes,queues,wheelchairs,"
    "staff meals,night shifts,loyalty cards"
).split(",")
FAR_TOPICS = (
    "volcanoes,chess openings,knitting patterns,lighthouses,thunderstorms,beekeeping,"
    "crosswords,opera singers,glaciers,mushrooms"
).split(",")
TASKS = (
    "sharpen knives for butcher,water orchids in lobby,rewind tape of interview,"
    "calibrate scale at counter,iron flag for parade,label jars in pantry,"
    "stack firewood behind cabin,inflate tyre of wheelbarrow,frame picture of grandmother,"
    "defrost freezer in basement,grease hinge of gate,polish trophy for ceremony"
).split(",")
