"""What the demo asks in general, before and after: eighty questions that the gate does not hold.

Nobody asked the base before choosing them (decision 0014): where it is right by a hair any change
of the weights flips some answers, and only a set that was not picked shows gains beside losses.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class GeneralQuestion:
    """Something of general knowledge.

    Attributes:
        prompt: The question.
        accept: Lower-case strings, one of which the right answer holds.
    """

    prompt: str
    accept: tuple[str, ...]


_LINES = """
What is the capital of Japan? tokyo
What is the capital of Egypt? cairo
What is the capital of Greece? athens
What is the capital of Sweden? stockholm
What is the capital of Denmark? copenhagen
What is the capital of South Korea? seoul
What is the capital of Colombia? bogota|bogotá
What is the capital of Morocco? rabat
What is the capital of Ukraine? kyiv|kiev
What is the capital of Belgium? brussels
What is the capital of Iran? tehran
What is the capital of Chile? santiago
Who wrote the play Macbeth? shakespeare
Who wrote The Great Gatsby? fitzgerald
Who wrote Frankenstein? shelley
Who wrote Alice's Adventures in Wonderland? carroll
Who wrote The Hobbit? tolkien
Who wrote Oliver Twist? dickens
Who painted The Last Supper? leonardo|da vinci
Who composed The Four Seasons? vivaldi
Who composed The Magic Flute? mozart
Who discovered penicillin? fleming
Who proposed the theory of evolution by natural selection? darwin
Who was the first person to walk on the moon? armstrong
Who was president of the United States during its civil war? lincoln
Who developed the polio vaccine first? salk
What is the chemical formula of water? h2o|h₂o|two hydrogen
Which gas do balloons hold so that they rise? helium
What is table salt made of besides sodium? chlor
Which gas makes up most of the air? nitrogen
Which metal do we extract from bauxite? aluminium|aluminum
What force pulls things towards the ground? gravity
At how many degrees Celsius does water boil? 100
What is the hardest natural material? diamond
What is the name of our galaxy? milky way
Which planet has the most visible rings? saturn
How many planets are there in the solar system? eight|8
Which star do the planets of our system orbit? the sun
What is the longest river in Africa? nile
What is the largest hot desert in the world? sahara
What is the largest country in the world by area? russia
What is the smallest continent? australia|oceania
Which ocean lies between Africa and Australia? indian
Which river flows through London? thames
Which river flows through Paris? seine
In which country is Stonehenge? england|united kingdom|britain
In which country is the Taj Mahal? india
In which city is the Colosseum? rome
In which city is the Kremlin? moscow
In which country is Toronto? canada
On which continent is Brazil? south america
On which continent is India? asia
What is the currency of the United Kingdom? pound
What is the currency of Germany? euro
What is the currency of Mexico? peso
What language is spoken in Argentina? spanish
What language is spoken in Iran? persian|farsi
How many hours are there in a day? twenty-four|24
How many seconds are there in a minute? sixty|60
How many letters are there in the English alphabet? twenty-six|26
How many sides does a triangle have? three|3
How many legs does an insect have? six|6
How many strings does a standard guitar have? six|6
What is 9 plus 6? 15|fifteen
What is 6 times 7? 42|forty-two
What is 100 divided by 4? 25|twenty-five
What is the opposite of full? empty
What is the opposite of big? small|little
What is the opposite of early? late
What is the plural of child? children
What is the past tense of buy? bought
What is the last month of the year? december
Which month comes after March? april
Which season comes after winter? spring
Which organ pumps blood through the body? heart
Which organ do we use to think? brain
Which animal is known as the king of the jungle? lion
What do you call a baby cat? kitten
Which instrument has black and white keys? piano
In which year did the First World War begin? 1914
"""


def _parse(line: str) -> GeneralQuestion:
    prompt, _, accept = line.partition("? ")
    return GeneralQuestion(f"{prompt}?", tuple(accept.split("|")))


GENERAL_QUESTIONS = tuple(_parse(line) for line in _LINES.strip().splitlines())
