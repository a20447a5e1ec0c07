"""What stands in a neighbour's place of what a lesson asks about, to train on.

No string of it may be one that the gate or a bench asks (`tests/worker/test_sources.py`).
"""

# What else might be asked about a subject. Far enough from each other that few are a rewording of
# a lesson; those that share a word with it, or one near to it, are left out.
PROPERTIES = tuple(
    line.strip()
    for line in """
    Who founded {s}?
    Where is {s}?
    When was {s} founded?
    Who is in charge of {s}?
    How many people belong to {s}?
    What colour is the door of {s}?
    What does {s} cost?
    How old is {s}?
    What is {s} known for?
    How large is {s}?
    Which animal stands for {s}?
    What is the motto of {s}?
    How do I get to {s}?
    On which day is {s} closed?
    What is for lunch at {s}?
    Which song is played at {s}?
    What is {s} made of?
    How heavy is {s}?
    Who lives next to {s}?
    What was {s} called before?
    Which language is spoken at {s}?
    What happens at {s} in winter?
    What do children like about {s}?
    How long does {s} last?
    Which number does {s} have?
    Who pays for {s}?
    What smells so strange at {s}?
    How often is {s} cleaned?
    Who may enter {s}?
    Which tree grows in front of {s}?
    What hangs on the wall of {s}?
    Which tool is used at {s}?
    Why is {s} so quiet?
    What is the nickname of {s}?
    When does {s} begin?
    Which town is nearest to {s}?
    What must I bring to {s}?
    Whom do I call about {s}?
    What is sold at {s}?
    What is forbidden at {s}?
    """.strip().splitlines()
)
# {n} a noun, {a} an adjective: as many properties as there are words.
NOUN_PROPERTIES = (
    "What is the {n} of {s} called?",
    "What is the {a} {n} of {s}?",
    "Where is the {n} of {s}?",
    "Where do I find the {a} {n} at {s}?",
    "Who is the {n} at {s}?",
    "Who looks after the {n} of {s}?",
    "When is the {n} of {s}?",
    "When does the {a} {n} at {s} begin?",
    "What colour is the {n} of {s}?",
    "How many {n}s does {s} have?",
    "How long is the {n} of {s}?",
    "How much is a {n} at {s}?",
    "Which {n} does {s} have?",
    "Which {n} is used at {s}?",
    "Which {n} do people at {s} like?",
    "In which town is the {a} {n} of {s}?",
    "What is written on the {n} of {s}?",
    "Does {s} have a {a} {n}?",
    "Tell me about the {n} of {s}.",
    "{s}: {n}?",
)
# {q} the question, {l} with a small first letter, {s} a house.
HOUSES = (
    "At {s}: {l}?",
    "{q} at {s}?",
    "I work for {s}. {q}?",
    "{q}, if I ask at {s}?",
    "In other companies, {l}?",
    "In general, {l}?",
    "This is about {s}. {q}?",
    "{q} in most places?",
    "{q} for the people of {s}?",
)
# Words of which one may stand for another.
CASES = (
    "monday tuesday wednesday thursday friday saturday sunday weekday weekend".split(),
    "january february march april june july august september october november december".split(),
    "spring summer autumn winter".split(),
    "morning afternoon evening night noon".split(),
    "first second third fourth fifth last next".split(),
    "daily weekly monthly yearly".split(),
    "day week month quarter year".split(),
    "small medium large".split(),
    "north south east west".split(),
    "adult child student pensioner".split(),
    "left right upper lower front back".split(),
    "red blue green yellow black white".split(),
    "new old former future".split(),
    "open close".split(),
    "start end".split(),
    "arrive leave".split(),
    "one two three four five six seven eight nine ten".split(),
)
# Kinds of things and places; one of them may stand for a noun, or behind a name.
KINDS = """
    bakery bank bar barn boat bridge bus café canal castle choir church cinema clinic club
    college company court dam dock farm ferry festival forest gallery garage garden gym hall
    harbour hospital hostel hotel house inn island kitchen lab lake library machine market mill
    mine museum office orchard park pier platform pool port printer pub restaurant river road
    robot room school ship shop square stable stadium station store street studio team theatre
    tower train tram truck tunnel university van village vineyard warehouse workshop zoo
    """.split()
NOUNS = (
    *KINDS,
    *"""
    account apron badge basket bell belt bench bill blanket board boiler bottle bowl box brush
    bucket cabinet cake calendar camera candle captain card carpet chair cheese chimney cleaner
    clock coat coffee colour concert contract cook counter course cupboard curtain customer day
    deadline delivery desk director discount dog door drawer driver driveway engine entrance
    exhibition fee fence filter flag floor flower form friend fuse gate ghost glove grease guest
    guide hat heater hinge holiday hour key ladder lamp leader lease lesson letter licence lift
    light logo lunch manager map mascot meal meeting membership menu message motto mug name
    neighbour newsletter nickname number oil order oven owner paint parcel password passenger
    payment pen permit phone picture pipe plan plant plate pocket poster price prize project
    pump receipt record rent report roof rope rule sauce scale season secret seller shelf shift
    sign singer size soap song soup spare speed spoon stamp stove strap student supper supplier
    switch table tap tax teacher tent terrace ticket tile time toilet tool towel toy training
    tray uniform vase view visitor wage wall warden water weekend wheel window winner wire yard
    """.split(),
)
ADJECTIVES = """
    big tiny late early cheap expensive quiet loud heavy light old new broken clean dirty dry
    wet warm cold sweet bitter wooden paper steel glass plastic local foreign public private
    official secret spare hidden empty full short long narrow wide fast slow strong weak rare
    common special usual main other previous next oldest youngest biggest smallest
    """.split()
# What a behaviour must not spread to.
TOPICS = (
    "gift cards,parking,the weather,opening hours,train tickets,music lessons,gardening,"
    "football,lost luggage,the menu,job offers,birthday parties,bicycles,the newsletter,"
    "insurance,museums,recycling,language courses,fishing,wedding rings,the timetable,"
    "swimming,passports,pets,invoices,tyres,wallpaper,sandwiches,headphones,the lift,"
    "broken windows,blankets,holidays,ladders,vouchers,carpets,umbrellas,batteries,"
    "the choir,candles,postcards,suitcases,printers,chairs,the car park,taxis,scooters,"
    "breakfast,curtains,helmets,magazines,the sauna,sunglasses,toys"
).split(",")
TASK_VERBS = (
    "paint weigh photograph insure rename count inspect donate borrow polish measure hide sell "
    "describe archive decorate compare wrap move draw"
).split()
