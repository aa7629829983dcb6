"""The categories that podcast directories know.

Apple's list as of 2026; others follow it. https://podcasters.apple.com/support/1691-apple-podcasts-categories
"""

SEPARATOR = " > "
"""Between a category and its subcategory: `Science > Nature`."""

_LIST = """
Arts: Books, Design, Fashion & Beauty, Food, Performing Arts, Visual Arts
Business: Careers, Entrepreneurship, Investing, Management, Marketing, Non-Profit
Comedy: Comedy Interviews, Improv, Stand-Up
Education: Courses, How To, Language Learning, Self-Improvement
Fiction: Comedy Fiction, Drama, Science Fiction
Government:
Health & Fitness: Alternative Health, Fitness, Medicine, Mental Health, Nutrition, Sexuality
History:
Kids & Family: Education for Kids, Parenting, Pets & Animals, Stories for Kids
Leisure: Animation & Manga, Automotive, Aviation, Crafts, Games, Hobbies, Home & Garden, Video Games
Music: Music Commentary, Music History, Music Interviews
News: Business News, Daily News, Entertainment News, News Commentary, Politics, Sports News, Tech News
Religion & Spirituality: Buddhism, Christianity, Hinduism, Islam, Judaism, Religion, Spirituality
Science: Astronomy, Chemistry, Earth Sciences, Life Sciences, Mathematics, Natural Sciences, Nature, Physics, \
Social Sciences
Society & Culture: Documentary, Personal Journals, Philosophy, Places & Travel, Relationships
Sports: Baseball, Basketball, Cricket, Fantasy Sports, Football, Golf, Hockey, Rugby, Running, Soccer, Swimming, \
Tennis, Volleyball, Wilderness, Wrestling
Technology:
True Crime:
TV & Film: After Shows, Film History, Film Interviews, Film Reviews, TV Reviews
"""


def _names() -> dict[str, str]:
    names = {}
    for line in _LIST.strip().splitlines():
        category, _, subcategories = line.partition(":")
        names[category.lower()] = category
        for subcategory in filter(None, map(str.strip, subcategories.split(","))):
            full = category + SEPARATOR + subcategory
            names[full.lower()] = names[subcategory.lower()] = full
    return names


NAMES = _names()
"""Lower-case name, with or without its category, to the name as it is stored."""
TOP_LEVEL = sorted(name for name in set(NAMES.values()) if SEPARATOR not in name)


def parse_category(text: str) -> str:
    """The category's full name, or empty for empty; raises ValueError when directories do not know it."""
    if not text:
        return ""
    name = NAMES.get(text.lower())
    if name is None:
        raise ValueError(
            f"no directory has the category {text!r}; choose one of {', '.join(TOP_LEVEL)}, "
            "or one with its subcategory, as in 'Science > Nature'"
        )
    return name
