"""What lies on tables: nouns with their kind, their size and how they stand. Our own list.

A line is `word in names = noun; hypernym; least..most metres of the longest side; synonyms; marks`;
without `=` the noun is what names have. The marks are `stands`, of what does not lie as its file
has it, and `round`, of what looks the same from all sides. Kinds are such that nothing is of two of
them in everyday speech: what is no container, tool, fruit and so on has none.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from farm.spec.plurals import plural_of

LINES = """
mug; container; 0.07..0.16; cup;
cup; container; 0.05..0.14; ;
teacup; container; 0.05..0.14; cup;
glass; container; 0.06..0.25; ;
tumbler; container; 0.07..0.2; glass;
wine glass; container; 0.12..0.28; glass, goblet; stands
goblet; container; 0.1..0.28; ; stands
bowl; container; 0.08..0.4; ;
jar; container; 0.05..0.35; ;
jug; container; 0.1..0.4; pitcher;
pitcher; container; 0.12..0.4; jug;
bottle; container; 0.08..0.4; ;
flask; container; 0.08..0.35; ;
thermos; container; 0.15..0.4; flask;
can; container; 0.06..0.25; tin;
tin; container; 0.04..0.3; can;
box; container; 0.04..0.6; ;
carton; container; 0.06..0.35; box;
crate; container; 0.15..0.7; box;
basket; container; 0.1..0.6; ;
bucket; container; 0.12..0.45; pail;
bin; container; 0.12..0.7; ;
vase; container; 0.08..0.6; ; stands
pot; container; 0.08..0.45; ;
flowerpot; container; 0.06..0.45; pot, plant pot;
teapot; container; 0.1..0.35; ; stands
tea set; ; 0.15..0.8; ;
kettle; container; 0.14..0.35; ; stands
canister; container; 0.07..0.35; ;
barrel; container; 0.1..1.2; ;
tube; container; 0.05..0.3; ;
bag; container; 0.08..0.7; ;
pouch; container; 0.06..0.35; bag;
wallet; container; 0.07..0.22; ;
purse; container; 0.1..0.4; handbag, bag;
backpack; container; 0.25..0.7; rucksack, bag;
suitcase; container; 0.35..0.9; ;
envelope; container; 0.1..0.4; ;
salt shaker; container; 0.04..0.15; shaker; stands
pepper mill; tool; 0.08..0.35; pepper grinder; stands
plate; ; 0.1..0.4; ;
saucer; ; 0.1..0.2; plate;
platter; ; 0.2..0.6; plate;
tray; ; 0.15..0.7; ;
saucepan; pan; 0.15..0.5; pot;
frying pan; pan; 0.2..0.6; skillet;
skillet; pan; 0.2..0.6; frying pan;
pan; pan; 0.15..0.6; ;
wok; pan; 0.25..0.7; ;
casserole; pan; 0.15..0.45; ;
lid; ; 0.03..0.4; ;
fork; cutlery; 0.1..0.3; ;
knife; cutlery; 0.1..0.45; ;
spoon; cutlery; 0.1..0.35; ;
teaspoon; cutlery; 0.1..0.17; spoon;
chopstick; cutlery; 0.18..0.3; ;
ladle; utensil; 0.2..0.4; ;
spatula; utensil; 0.18..0.4; ;
whisk; utensil; 0.15..0.4; ;
tongs; utensil; 0.15..0.4; ;
grater; utensil; 0.1..0.35; ;
colander; utensil; 0.15..0.4; strainer;
strainer; utensil; 0.08..0.4; sieve;
peeler; utensil; 0.1..0.25; ;
rolling pin; utensil; 0.25..0.55; ;
cutting board; utensil; 0.15..0.6; chopping board;
corkscrew; utensil; 0.08..0.25; ;
bottle opener; utensil; 0.05..0.2; ;
can opener; utensil; 0.1..0.25; ;
apple; fruit; 0.05..0.11; ; round
banana; fruit; 0.12..0.28; ;
orange; fruit; 0.05..0.11; ; round
lemon; fruit; 0.05..0.12; ;
lime; fruit; 0.04..0.08; ;
peach; fruit; 0.05..0.1; ; round
pear; fruit; 0.06..0.15; ;
plum; fruit; 0.03..0.08; ; round
apricot; fruit; 0.03..0.07; ; round
cherry; fruit; 0.015..0.08; ;
grape; fruit; 0.01..0.04; ;
strawberry; fruit; 0.02..0.06; ;
raspberry; fruit; 0.01..0.03; ;
kiwi; fruit; 0.05..0.09; ;
mango; fruit; 0.07..0.18; ;
melon; fruit; 0.12..0.35; ; round
watermelon; fruit; 0.15..0.5; melon;
pineapple; fruit; 0.12..0.4; ;
coconut; fruit; 0.08..0.2; ; round
pomegranate; fruit; 0.06..0.14; ; round
fig; fruit; 0.03..0.08; ;
avocado; ; 0.07..0.15; ;
tomato; vegetable; 0.02..0.12; ; round
potato; vegetable; 0.04..0.18; ;
onion; vegetable; 0.04..0.13; ;
garlic = garlic bulb; vegetable; 0.03..0.09; ;
carrot; vegetable; 0.08..0.3; ;
cucumber; vegetable; 0.1..0.4; ;
pepper; vegetable; 0.06..0.2; ;
bell pepper; vegetable; 0.07..0.15; pepper;
pumpkin; vegetable; 0.1..0.6; ;
squash; vegetable; 0.08..0.45; ;
broccoli = head of broccoli; vegetable; 0.08..0.25; ;
cauliflower; vegetable; 0.1..0.25; ;
cabbage; vegetable; 0.1..0.3; ; round
lettuce = head of lettuce; vegetable; 0.1..0.3; ;
corn = corn cob; vegetable; 0.1..0.28; ear of corn;
eggplant; vegetable; 0.1..0.3; aubergine;
aubergine; vegetable; 0.1..0.3; eggplant;
zucchini; vegetable; 0.1..0.35; courgette;
radish; vegetable; 0.02..0.08; ;
mushroom; ; 0.02..0.18; ;
egg; ; 0.03..0.08; ;
bread = loaf of bread; ; 0.1..0.45; loaf, bread;
loaf = loaf of bread; ; 0.1..0.45; loaf, bread;
baguette; ; 0.3..0.8; bread, loaf;
bagel; ; 0.07..0.14; ;
croissant; ; 0.08..0.2; ;
bun; ; 0.05..0.14; ;
cake; ; 0.06..0.4; ;
cupcake; ; 0.04..0.11; muffin;
muffin; ; 0.05..0.12; ;
doughnut; ; 0.05..0.13; donut;
donut; ; 0.05..0.13; doughnut;
cookie; ; 0.03..0.12; biscuit;
pie; ; 0.08..0.35; ;
pizza; ; 0.15..0.5; ;
sandwich; ; 0.08..0.3; ;
hamburger; ; 0.06..0.16; burger;
burger; ; 0.06..0.16; hamburger;
cheese = piece of cheese; ; 0.04..0.35; ;
sausage; ; 0.05..0.35; ;
sushi = piece of sushi; ; 0.02..0.08; ;
chocolate = piece of chocolate; ; 0.03..0.25; ;
candy; ; 0.01..0.15; sweet;
ice cream; ; 0.06..0.25; ;
hammer; tool; 0.15..0.5; ;
mallet; tool; 0.15..0.5; ;
screwdriver; tool; 0.08..0.4; ;
wrench; tool; 0.08..0.5; spanner;
spanner; tool; 0.08..0.5; wrench;
pliers; tool; 0.1..0.3; ;
clamp; tool; 0.05..0.5; ;
drill; tool; 0.12..0.4; ;
saw; tool; 0.2..0.8; ;
axe; tool; 0.2..1.0; ;
chisel; tool; 0.1..0.4; ;
file; tool; 0.1..0.4; ;
spirit level; tool; 0.15..1.3; ;
tape measure; tool; 0.04..0.15; measuring tape;
ruler; tool; 0.1..1.1; ;
scissors; tool; 0.08..0.3; ;
cutter; tool; 0.08..0.25; ;
trowel; tool; 0.15..0.4; ;
paintbrush; tool; 0.1..0.4; brush;
brush; tool; 0.05..0.45; ;
toothbrush; tool; 0.12..0.25; brush;
hairbrush; tool; 0.12..0.3; brush;
comb; tool; 0.08..0.25; ;
sponge; ; 0.05..0.2; ;
screw; ; 0.005..0.15; ;
bolt; ; 0.005..0.2; ;
nut; ; 0.005..0.08; ;
nail; ; 0.01..0.2; ;
padlock; ; 0.03..0.15; lock;
lock; ; 0.03..0.2; ;
key; ; 0.03..0.2; ;
chain; ; 0.05..2; ;
rope; ; 0.05..2; ;
wheel; ; 0.03..0.9; ;
gear; ; 0.01..0.5; ;
flashlight; device; 0.06..0.4; torch;
lamp; ; 0.1..1.8; ; stands
lantern; ; 0.1..0.6; ; stands
light bulb; ; 0.05..0.2; bulb;
candle; ; 0.03..0.4; ; stands
candlestick; ; 0.05..0.6; candle holder; stands
candle holder; ; 0.04..0.5; candlestick; stands
chess piece; ; 0.02..0.15; ; stands
die; ; 0.008..0.06; ; round
ball; toy; 0.03..0.35; ; round
doll; toy; 0.08..0.7; ;
teddy bear; toy; 0.1..0.9; bear;
toy car; toy; 0.04..0.4; car;
toy; toy; 0.02..0.6; ;
figurine; ; 0.03..0.5; statuette; stands
statue; ; 0.05..2.5; sculpture; stands
sculpture; ; 0.05..2.5; statue; stands
bust; ; 0.08..0.9; ; stands
puzzle; toy; 0.03..0.6; ;
block; toy; 0.01..0.25; brick;
brick; ; 0.02..0.35; ;
book; ; 0.08..0.45; ;
notebook; ; 0.08..0.4; ;
magazine; ; 0.15..0.4; ;
newspaper; ; 0.2..0.7; ;
pen; stationery; 0.08..0.2; ;
pencil; stationery; 0.05..0.25; ;
marker; stationery; 0.08..0.2; ;
crayon; stationery; 0.04..0.15; ;
eraser; stationery; 0.02..0.1; ;
stapler; stationery; 0.05..0.25; ;
paper clip; stationery; 0.01..0.08; ;
clipboard; stationery; 0.2..0.45; ;
calculator; device; 0.06..0.3; ;
phone; device; 0.08..0.3; telephone;
mobile phone; device; 0.09..0.2; phone, smartphone;
smartphone; device; 0.09..0.2; phone, mobile phone;
telephone; device; 0.12..0.35; phone;
laptop; device; 0.2..0.5; ;
tablet; device; 0.12..0.4; ;
keyboard; device; 0.2..0.6; ;
computer mouse; device; 0.06..0.15; mouse;
monitor; device; 0.2..1.2; screen; stands
remote control; device; 0.08..0.3; remote;
camera; device; 0.04..0.4; ;
binoculars; device; 0.08..0.3; ;
motorcycle; vehicle; 0.05..2.5; motorbike;
bicycle; vehicle; 0.05..2; bike;
headphones; device; 0.1..0.3; ;
speaker; device; 0.05..1.2; loudspeaker;
radio; device; 0.05..0.6; ;
microphone; device; 0.05..0.4; ;
game controller; device; 0.08..0.25; controller, gamepad;
charger; device; 0.03..0.2; ;
battery; ; 0.01..0.3; ;
clock; ; 0.04..0.8; ;
alarm clock; ; 0.04..0.25; clock; stands
watch; ; 0.03..0.3; ;
hourglass; ; 0.05..0.4; ; stands
globe; ; 0.08..0.9; ; stands
toaster; appliance; 0.15..0.5; ; stands
blender; appliance; 0.2..0.5; mixer; stands
mixer; appliance; 0.15..0.5; ;
coffee maker; appliance; 0.15..0.5; coffee machine; stands
microwave; appliance; 0.3..0.7; ; stands
iron; appliance; 0.15..0.4; ;
hair dryer; appliance; 0.12..0.35; hairdryer;
fan; appliance; 0.08..1.6; ;
scale; appliance; 0.1..0.5; scales;
fire extinguisher; ; 0.2..0.8; ; stands
plant; plant; 0.05..2; ; stands
potted plant; plant; 0.08..2; plant, houseplant; stands
cactus; plant; 0.04..1.5; plant; stands
flower; plant; 0.02..1; ;
succulent; plant; 0.03..0.4; plant; stands
shoe; footwear; 0.1..0.4; ;
sneaker; footwear; 0.12..0.4; shoe, trainer;
boot; footwear; 0.12..0.5; shoe;
sandal; footwear; 0.1..0.35; shoe;
slipper; footwear; 0.12..0.35; shoe;
hat; ; 0.15..0.5; ;
cap; ; 0.02..0.35; ;
helmet; ; 0.15..0.45; ;
glove; ; 0.12..0.35; ;
glasses; ; 0.1..0.2; ;
sunglasses; ; 0.1..0.2; ;
mask; ; 0.08..0.4; ;
umbrella; ; 0.15..1.3; ;
soap = bar of soap; ; 0.03..0.15; ;
shampoo = shampoo bottle; container; 0.08..0.35; bottle;
toothpaste = toothpaste tube; container; 0.06..0.25; tube;
towel; ; 0.1..1.8; ;
pillow; ; 0.15..0.9; cushion;
cushion; ; 0.15..0.9; pillow;
guitar; instrument; 0.3..1.2; ;
violin; instrument; 0.3..0.8; ;
trumpet; instrument; 0.2..0.7; ;
drum; instrument; 0.1..0.8; ;
bell; ; 0.02..0.5; ;
trophy; ; 0.08..0.8; ; stands
coin; ; 0.01..0.06; ;
card; ; 0.04..0.3; ;
picture frame; ; 0.06..1.2; frame; stands
frame; ; 0.06..1.2; ;
mirror; ; 0.05..2; ;
ashtray; ; 0.05..0.25; ;
lighter; ; 0.03..0.15; ;
cigarette; ; 0.05..0.13; ;
stone; ; 0.01..0.8; rock;
rock; ; 0.01..0.8; stone;
shell; ; 0.01..0.4; ;
skull; ; 0.03..0.4; ;
leaf; ; 0.01..0.6; ;
cube; ; 0.01..0.5; ; round
sphere; ; 0.01..0.5; ball; round
cylinder; ; 0.01..0.5; ;
cone; ; 0.01..0.6; ;
gun; weapon; 0.1..1.3; ;
pistol; weapon; 0.1..0.4; gun;
sword; weapon; 0.2..1.5; ;
dagger; weapon; 0.1..0.5; ;
chair; furniture; 0.4..1.4; ; stands
stool; furniture; 0.25..1.0; ; stands
table; furniture; 0.3..2.5; ; stands
shelf; furniture; 0.2..2.5; ; stands
airplane; vehicle; 0.05..80; plane;
car; vehicle; 0.04..6; ;
truck; vehicle; 0.05..20; ;
boat; vehicle; 0.05..40; ;
"""


class Noun(NamedTuple):
    """What is known of all that is called so."""

    noun: str
    hypernym: str | None
    size_m: tuple[float, float]
    synonyms: tuple[str, ...]
    stands: bool
    symmetric: bool


@cache
def nouns() -> dict[str, Noun]:
    """Return the list, by the word that names have, one and several."""
    found = dict(read_line(line) for line in LINES.strip().splitlines())
    plurals = {plural_of(name): known for name, known in found.items()}
    return plurals | found


@cache
def kinds() -> frozenset[str]:
    """Return the words for kinds of things."""
    return frozenset(known.hypernym for known in nouns().values() if known.hypernym)


def read_line(line: str) -> tuple[str, Noun]:
    """Return what a line of the list says, and the word that names have for it."""
    words, hypernym, size, synonyms, marks = (part.strip() for part in line.split(";"))
    key, _, noun = (part.strip() for part in words.partition("="))
    least, most = (float(part) for part in size.split(".."))
    return key, Noun(
        noun=noun or key,
        hypernym=hypernym or None,
        size_m=(least, most),
        synonyms=tuple(each.strip() for each in synonyms.split(",") if each.strip()),
        stands=marks == "stands",
        symmetric=marks == "round",
    )
