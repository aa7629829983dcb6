"""The shows of the demo catalogue. All invented: no such lighthouse, post office, kettle or planet exists."""

from dataclasses import dataclass

from seed.audio import Chord

MINOR: tuple[Chord, ...] = ((0, 3, 7, 12), (-4, 0, 3, 8), (-7, -4, 0, 5), (-5, -1, 2, 7))
MAJOR: tuple[Chord, ...] = ((0, 4, 7, 12), (-3, 0, 4, 9), (-7, -3, 0, 5), (-5, -1, 2, 7))
DREAMY: tuple[Chord, ...] = ((0, 4, 7, 11), (2, 5, 9, 12), (-3, 0, 4, 7), (-1, 2, 5, 9))
BRISK: tuple[Chord, ...] = ((0, 4, 7, 12), (5, 9, 12, 17), (7, 11, 14, 19), (0, 4, 7, 12))


@dataclass(frozen=True, slots=True)
class ShowText:
    """A show and its episodes as written by its makers, oldest first."""

    slug: str
    title: str
    description: str
    category: str
    key_hertz: float
    chords: tuple[Chord, ...]
    release_weekday: int
    """0 is Monday."""
    release_minute: int
    """Minutes after midnight, UTC."""
    every_days: int
    minutes: tuple[int, int]
    """Shortest and longest episode."""
    popularity: float
    """Share of newcomers who subscribe."""
    growth: float
    """How much more (positive) or less (negative) of that share it has at the end of the window."""
    archive_days: tuple[int, ...]
    """Ages, in days before today, of episodes from before the weekly run; oldest first."""
    episodes: tuple[tuple[str, str], ...]
    """Title and notes."""


LIGHTHOUSE = ShowText(
    slug="lighthouse-radio",
    title="Lighthouse Radio of Farrow Head",
    description="Evening broadcasts from a lighthouse on a coast that no chart agrees about. A keeper, a logbook, "
    "a kettle that is never quite dry, and the ships that ask for directions.",
    category="Fiction > Drama",
    key_hertz=196.0,
    chords=MINOR,
    release_weekday=3,
    release_minute=5 * 60,
    every_days=7,
    minutes=(14, 22),
    popularity=0.62,
    growth=0.25,
    archive_days=(133, 126),
    episodes=(
        ("The Lamp Is Lit", "Our first night on air. The keeper reads the rules, and breaks the third."),
        ("A Ship Called Perhaps", "She appears at ten past nine, asks for the time, and is gone by nine."),
        ("Fog, With Interruptions", "Eleven hours of fog, edited down to the parts where it spoke."),
        ("The Logbook of the Second Keeper", "Someone has been writing in the margins in tomorrow's ink."),
        ("Low Water", "The tide goes out further than it should, and leaves a staircase."),
        ("What the Gulls Were Told", "A rumour crosses the bay and comes back improved."),
        ("Two Blinks and a Pause", "The lamp develops a stammer. A ship replies in kind."),
        ("The Inspector Comes by Bicycle", "Across eleven miles of open sea, and not a drop on him."),
        ("Storm Glass", "How to read weather in a jar, and what to do when the jar reads you."),
        ("The Long Night Broadcast", "Listeners write in from harbours we cannot find. We answer every one."),
    ),
)

KETTLE = ShowText(
    slug="kettle-physics",
    title="Kettle Physics",
    description="One small question from the kitchen, answered before the water boils. Why toast lands badly, what "
    "the lid is really for, and other matters of consequence.",
    category="Science > Physics",
    key_hertz=261.6,
    chords=BRISK,
    release_weekday=0,
    release_minute=6 * 60 + 30,
    every_days=7,
    minutes=(5, 8),
    popularity=0.5,
    growth=0.1,
    archive_days=(140, 98, 75),
    episodes=(
        ("Why a Kettle Sings", "Small bubbles, a cold ceiling, and the note just before the boil."),
        ("The Last Spoon of Honey", "Thick things move slowly, until they do not. A race against gravity."),
        ("Does Milk First Matter?", "We measure, carefully, the least important question in the house."),
        ("Toast, Falling", "Half a turn is all a table gives it. We lend it a taller table."),
        ("What a Lid Knows", "Pressure, patience, and the physics of not looking."),
        ("Salt in the Rain", "Why the salt clumps, and what a grain of rice can and cannot do."),
        ("The Slow Ice Cube", "Two cubes, one stirred. Place your bets before the kettle clicks."),
        ("Soup Stays Hot, Tea Does Not", "A tale of two surfaces and one distracted cook."),
        ("Onions at a Distance", "How far does a tear travel? Further than our kitchen, it turns out."),
        ("Pasta Water Is Not Water", "Starch, foam, and the art of the almost-overflow."),
        ("The Quiet Freezer", "Why the door will not open again right away."),
        ("Reheated Questions", "Your letters, answered over yesterday's coffee."),
    ),
)

PARCEL = ShowText(
    slug="the-slow-parcel",
    title="The Slow Parcel",
    description="Every other week one parcel goes the long way round, and we go with it: by handcart, by ferry, by "
    "the night train that stops where it likes. Unhurried documentaries from an invented postal service.",
    category="Society & Culture > Documentary",
    key_hertz=220.0,
    chords=MAJOR,
    release_weekday=6,
    release_minute=9 * 60,
    every_days=14,
    minutes=(26, 33),
    popularity=0.34,
    growth=-0.05,
    archive_days=(112,),
    episodes=(
        ("Return to Sender, Eventually", "A parcel nobody ordered leaves an office that nobody has closed."),
        ("The Ferry Takes Its Time", "Six islands, one crossing, and a captain who knits by the buoys."),
        ("Handle With Curiosity", "What the sorting room hears when it puts an ear to a box."),
        ("The Night Train to Upper Nettle", "It is always late, and always by exactly as much as you need."),
        ("A Stamp Worth Less Than Its Glue", "On collectors, forgers, and the charm of small denominations."),
        ("Signed For by a Cat", "A village without a postman and the understudy who took the round."),
    ),
)

STARS = ShowText(
    slug="second-hand-stars",
    title="Second-Hand Stars",
    description="A tour of slightly used planets with one careful previous owner. Astronomy of places we made up, "
    "done as if they were there.",
    category="Science > Astronomy",
    key_hertz=174.6,
    chords=DREAMY,
    release_weekday=1,
    release_minute=16 * 60,
    every_days=7,
    minutes=(9, 14),
    popularity=0.12,
    growth=0.5,
    archive_days=(),
    episodes=(
        ("One Moon, Lightly Scratched", "Tides included. Viewing by appointment, after dusk."),
        ("A Sun With Low Mileage", "Warm, reliable, and only slightly too orange for wheat."),
        ("Rings, Unboxed", "Some assembly required, most of it by gravity."),
        ("The Planet That Rains Upwards", "Umbrellas are worn as skirts and nobody thinks it odd."),
        ("A Comet on Approval", "Return within seventy years for a full refund."),
        ("Dark Matter, Sold as Seen", "You will not, which is rather the point."),
        ("The Quiet Pulsar", "It ticks. The neighbours have learned to dance to it."),
    ),
)

SHOWS = (LIGHTHOUSE, KETTLE, PARCEL, STARS)
