"""The grammatical forms of a side's aliases: what may stand where one of them stands.

A sides file lists words and says nothing of their grammar, so it is read off the aliases themselves. An article before
an alias counts for nothing, nor does what comes after a preposition ("authorities in Arauca"). The first that holds:

- titled: a title and a name ("Mr. Hill", "President Bush");
- compound: ends in -led, -backed, …, or begins with pro- or anti- ("U.S.-led");
- adjective, the irregular ones ("French", "Greek Cypriot");
- group: ends in a lower-case plural or in Forces, Guards, … ("rebels", "Iraqi Security Forces");
- noun: ends in another lower-case word ("Cuban government", "rebel leader");
- office: begins or ends with the noun of one ("Foreign Minister");
- name: the side's own name, its initials, or a union's ("Iran", "FARC", "U.S.");
- body: holds the noun of an institution or a possessive, or is all capitals ("State Department", "KCNA");
- person: several capitalised words, none of them a region's ("Condoleezza Rice"), or a word that such a name or a
  titled one begins or ends with ("Rice");
- adjective: has an adjective's ending and is made from a name of the side ("American" from "America"), or stands
  before a noun in a longer alias ("Maoist" for "Maoist rebels");
- people: an adjective or another alias, with an s ("Iraqis", "Turks");
- name: any other ("Tehran", "North Korea", "Hezbollah").
"""

from functools import cache

import regex

from ...model.sides import Side

ADJECTIVE, PEOPLE, NAME = "adjective", "people", "name"
PERSON, TITLED, OFFICE, BODY = "person", "titled", "office", "body"
GROUP, NOUN, COMPOUND = "group", "noun", "compound"


def word_set(listed: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(listed.split())


_ENDING = regex.compile(r"(?:[aeiou]?an|ese|ish|i|ic|ist)$")
"""What most English adjectives of peoples and creeds end in."""
_COMPOUND = regex.compile(r"^(?:pro|anti)-|-(?:led|backed|based|run|controlled|installed|linked|allied)$")
_CREED = regex.compile(r"(?:ist|ent|ant|ite|ican|ocrat|ative|ian)s$")
"""What followers of something are called."""
_IRREGULAR = word_set(
    """American Argentine Catalan Chechen Croat Cypriot Czech Danish Dutch Filipino Finnish French German Greek Hutu
    Irish Kosovar Norwegian Kurd Kurdish Kyrgyz Philippine Polish Serb Slovak Somali Spanish Swiss Thai Turkish Tutsi
    Uzbek Welsh"""
)
_TITLES = word_set(
    """Mr Mrs Ms Dr Sir Lord Lady King Queen Prince Princess Sheikh Sheik Ayatollah Imam Pope Sultan Emir
    President Premier Chancellor Minister Secretary Senator Congressman Congresswoman Representative Governor Mayor
    Ambassador General Gen Colonel Col Major Maj Captain Capt Lieutenant Lt Marshal Admiral Brigadier Commander Judge
    Justice Prime Foreign Defense Defence Vice Deputy"""
)
_TITLED = regex.compile(rf"(?:(?:{'|'.join(sorted(_TITLES))})\.?\s+)+(?=\p{{Lu}})")
_OFFICES = word_set(
    """President Minister Secretary Premier Chancellor Commissioner Spokesman Spokeswoman Ambassador Governor Mayor
    Chairman Speaker General Marshal Representative Prosecutor King Commander Leader"""
)
_BODIES = word_set(
    """Administration Agency Air Alliance Army Assembly Association Authority Bank Battalion Bloc Brigade Bureau
    Cabinet Center Central Centre Church Coalition Command Commission Committee Company Conference Congress Convention
    Corporation Corps Council Court Customs Defence Defense Department Directorate Division Embassy Federation Fleet
    Force Foundation Front Government Group Guard House Initiative Institute Intelligence Joint Junta League List
    Ministry Militia Mission Mobilization Movement National Navy Network News Office Operation Operations Organisation
    Organization Palace Parliament Party Patrol Pentagon Police Politburo Press Radio Regiment Resistance Security
    Senate Service Services Staff State Street Task Television Times Tribunal Treasury TV Unit"""
)
_PLURAL_BODIES = {"Forces", "Guards", "Units", "Brigades", "Rifles", "Martyrs"}
_PLURALS = {"police", "troops", "people", "personnel", "media", "clergy", "tribesmen", "gunmen"}
_UNIONS = {"US", "USA", "UK", "EU", "UN", "UAE", "USSR", "PRC", "ROC", "DPRK", "DRC"}
_REGIONS = word_set(
    """New North South East West Northern Southern Eastern Western United Republic Kingdom Saint San
    Philippines Netherlands"""
)
_PARTICLES = {"al", "bin", "bint", "ibn", "ben", "de", "la", "del", "van", "von", "el", "abu", "da", "dos", "ul", "ud"}
_PREPOSITIONS = {"of", "in", "for", "on", "at", "to", "from"}


@cache
def alias_forms(side: Side) -> dict[str, str]:
    """Alias → its form; the side's name first, then in the file's order."""
    ordered = sorted(side.aliases, key=lambda alias: alias != side.name)
    own = {alias: _own_form(alias, side) for alias in ordered}
    people = [_TITLED.sub("", alias) for alias, form in own.items() if form in (PERSON, TITLED)]
    parts = {part for name in people for part in (name, name.split()[0], name.split()[-1])}
    names = {
        regex.sub(r"['’]s$", "", word)
        for alias, form in own.items()
        if form not in (PERSON, TITLED)
        for word in (without_article(alias), *alias.split(), *side.name.split())
        if word[0].isupper() and not word.isupper()
    }
    forms = {}
    for alias, form in own.items():
        word = without_article(alias)
        if form is None and word in parts and word not in side.name.split():
            form = PERSON
        elif form is None and _is_adjective(word, side, names):
            form = ADJECTIVE
        elif form is None and _is_people(word, side, names):
            form = PEOPLE
        forms[alias] = form or NAME
    return forms


def without_article(alias: str) -> str:
    """The alias without "the" before it."""
    return regex.sub(r"^[Tt]he\s+(?=\S)", "", alias)


def _own_form(alias: str, side: Side) -> str | None:
    """The form of an alias by its own look; None for a capitalised word that must be seen beside the others."""
    whole = without_article(alias).split()
    cut = next((n for n, word in enumerate(whole) if n and word in _PREPOSITIONS), len(whole))
    words = whole[:cut]
    last = words[-1]
    plain = alias.replace(".", "")
    if _TITLED.match(alias) and last not in _OFFICES | _BODIES:
        return TITLED
    if len(words) == 1 and _COMPOUND.search(last):
        return COMPOUND
    if last in _IRREGULAR and all(word in _IRREGULAR or _ending(word) for word in words):
        return ADJECTIVE
    if last[0].islower() and last.split("-")[0] not in _PARTICLES:
        return GROUP if last.endswith("s") or last in _PLURALS else NOUN
    peoples = len(words) > 1 and (_CREED.search(last) or last.removesuffix("s") in _IRREGULAR)
    if last in _PLURAL_BODIES or (peoples and last.endswith("s")):
        return GROUP
    if last in _OFFICES or words[0] in _OFFICES:
        return OFFICE
    if alias == side.name or plain in _UNIONS or plain == "".join(w[0] for w in side.name.split() if w[0].isupper()):
        return NAME
    if _BODIES & set(words) or any(word.endswith(("'s", "’s")) for word in words[:-1]):
        return BODY
    if len(words) == 1 and last.isupper() and len(last) > 1:
        return BODY
    if cut < len(whole) and not _REGIONS & set(words):
        return GROUP if last.endswith("s") else BODY
    return None if len(words) == 1 or _REGIONS & set(words) or "and" in words else PERSON


def _is_adjective(word: str, side: Side, names: set[str]) -> bool:
    """By the irregular ones, the ending and `names`, the side's capitalised words that are no person's."""
    if word.rpartition("-")[2] in _IRREGULAR or any(_shortened_from(word, name) for name in names):
        return True
    ending = _ending(word)
    is_base = any(regex.match(rf"{regex.escape(word)}\p{{Ll}}+$", name) and _ending(name) for name in names)
    if word == side.name or not ending or word.endswith("stan") or is_base:
        return False
    if len(ending) > 2 and any(regex.match(rf"{regex.escape(word)} [\p{{Ll}}]", alias) for alias in side.aliases):
        return True  # "Maoist rebels"; but names end in -i and -an too, and stand before nouns: "Taiwan officials"
    return any(_made_from(word, name) for name in names)


def _is_people(word: str, side: Side, names: set[str]) -> bool:
    if not word.endswith("s") or word in _REGIONS:
        return False
    single = word[:-1]
    return bool(
        single in side.aliases
        or _CREED.search(word)
        or (_ending(single) != "i" and _is_adjective(single, side, names))  # Paris is not many of Pari
    )


def _made_from(word: str, name: str) -> bool:
    """Whether `word` looks like the adjective of `name`: "Chinese" of "China", "South Korean" of "South Korea"."""
    ending = _ending(word)
    same = name.startswith(word) or (name.endswith(ending) and not word.startswith(name))
    if same or len(word.split()) != len(name.split()) or not 4 <= len(name) <= 2 * len(word):
        return False
    stem = word.removesuffix(ending)
    shared = next((n for n, (a, b) in enumerate(zip(stem, name, strict=False)) if a != b), min(len(stem), len(name)))
    return shared >= max(3, len(stem) - 1)


def _shortened_from(word: str, name: str) -> bool:
    """Whether `word` is what a name begins with: "Afghan" in "Afghanistan"."""
    return len(word) > 2 and any(name == word + ending for ending in ("istan", "stan", "land", "y", "ia", "a"))


def _ending(word: str) -> str:
    found = _ENDING.search(word)
    return found.group() if found else ""
