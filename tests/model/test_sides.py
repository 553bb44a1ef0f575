import pytest
from hypothesis import given
from hypothesis import strategies as st
from whosays.configs import packaged_names
from whosays.model.errors import InputError
from whosays.model.sides import Conflict, Side, load_conflict, load_conflicts, packaged_conflict, parse_side


def conflict(**sides: list[str]) -> Conflict:
    return Conflict("test", tuple(Side(key, key.title(), tuple(aliases)) for key, aliases in sides.items()))


def found(where: Conflict, text: str) -> list[tuple[str, str]]:
    return [(m.side, text[m.start : m.end]) for m in where.find_mentions(text)]


SYRIA = conflict(government=["Syria", "Syrian", "Damascus"], rebels=["rebels", "Free Syrian Army", "al-Nusra"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Syria's army", [("government", "Syria")]),
        ("Syria’s army", [("government", "Syria")]),
        ("Syrias government", [("government", "Syria")]),
        ("SYRIA SAYS", [("government", "SYRIA")]),
        ("“Damascus”, (Damascus)", [("government", "Damascus"), ("government", "Damascus")]),
        ("a Syrian-led push, the anti-Syria bloc", [("government", "Syrian"), ("government", "Syria")]),
        ("the Free\n  Syrian Army said", [("rebels", "Free\n  Syrian Army")]),
        ("Rebels and rebels", [("rebels", "Rebels"), ("rebels", "rebels")]),
        ("al‑Nusra and al-Nusra", [("rebels", "al‑Nusra"), ("rebels", "al-Nusra")]),
        ("syria is not a name, Assyrian neither, nor Damascusville", []),
        ("", []),
        ("Damascus¹ and Syria②", [("government", "Damascus"), ("government", "Syria")]),
        ("_Syria_, Syriaʼs army", [("government", "Syria"), ("government", "Syria")]),
    ],
)
def test_mentions_in_the_wild(text, expected):
    assert found(SYRIA, text) == expected


def test_diacritics_match_either_way_and_positions_stay_exact():
    turkey = conflict(turkey=["Erdogan", "Şimşek"], greece=["Athens"])
    text = "Erdoğan, Erdogan, Simsek and S\u0327ims\u0327ek"
    assert found(turkey, text) == [
        ("turkey", "Erdoğan"),
        ("turkey", "Erdogan"),
        ("turkey", "Simsek"),
        ("turkey", "S\u0327ims\u0327ek"),
    ]


def test_mentions_are_counted_by_side():
    where = conflict(a=["Norden"], b=["Suden"], c=["Ostland"])
    assert where.count_mentions("Norden met Suden; Norden left.") == {"a": 2, "b": 1}


def test_a_capital_matches_only_a_capital():
    assert found(conflict(us=["US", "Rice"], iran=["Iran"]), "give us rice; US Rice") == [("us", "US"), ("us", "Rice")]


def test_the_longest_alias_wins_across_sides():
    korea = conflict(north=["North Korea", "Korean People's Army"], south=["Korea", "South Korea", "Korean"])
    assert found(korea, "North Korea, Korea, the Korean People’s Army") == [
        ("north", "North Korea"),
        ("south", "Korea"),
        ("north", "Korean People’s Army"),
    ]


def test_the_longest_alias_wins_where_it_begins_inside_another():
    strait = conflict(china=["the mainland", "Beijing"], taiwan=["Mainland Affairs Council", "Taipei"])
    assert found(strait, "The Mainland Affairs Council said the mainland had denied it") == [
        ("taiwan", "Mainland Affairs Council"),
        ("china", "the mainland"),
    ]
    chain = conflict(a=["Serb army", "army of the North"], b=["Bosnian Serb", "the North Front for Peace"])
    assert found(chain, "the Bosnian Serb army of the North Front for Peace") == [
        ("b", "Bosnian Serb"),
        ("b", "the North Front for Peace"),
    ]


def test_names_of_several_parts_may_have_a_plural_s():
    names = conflict(a=["al-Qaida", "pro-Tibet"], b=["Bogota\u0301", "rebel fighter"])
    text = "al-Qaidas men, pro-Tibets, Bogotás, BOGOTÁS streets, rebel fighters"
    assert found(names, text) == [("a", "al-Qaida"), ("a", "pro-Tibet"), ("b", "Bogotá"), ("b", "BOGOTÁ")]


@given(st.text(max_size=200))
def test_mentions_are_ordered_disjoint_and_inside_the_text(text):
    mentions = SYRIA.find_mentions(text)
    edges = [edge for m in mentions for edge in (m.start, m.end)]
    assert edges == sorted(edges)
    assert all(0 <= m.start < m.end <= len(text) for m in mentions)


PIECES = [
    "Damascus",
    "syria",
    "Syrians",
    "U.N.",
    "al-Assad",
    "’s",
    "é",
    "(",
    "\n",
    "ʼ",
    "_",
    "¹",
    "②",
    "Ⅷ",
    "१",
    "\u200c",
    "\u00ad",
    "\u200b",
]


@given(st.lists(st.sampled_from([*PIECES, " "])).map("".join))
def test_a_combining_mark_elsewhere_changes_nothing(text):
    assert SYRIA.find_mentions(f"{text} o\u0331") == SYRIA.find_mentions(f"{text} o_")


@given(st.permutations(["alpha", "beta", "gamma", "delta"]))
def test_the_order_in_the_file_is_forgotten(keys):
    assert conflict(**{key: [key] for key in keys}) == conflict(**{key: [key] for key in sorted(keys)})


def test_many_sides():
    crowd = conflict(**{f"side{n}": [f"Party{n}"] for n in range(60)})
    assert found(crowd, "Party59 met Party5.") == [("side59", "Party59"), ("side5", "Party5")]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("conflict: c\nsides:\n  a: {name: A, aliases: [A]}\n", ["two sides"]),
        ("conflict: c\nsides:\n  a: {name: A, aliases: [X]}\n  b: {name: B, aliases: [x]}\n", ["'x'", "'a'", "'b'"]),
        ("conflict: c\nsides:\n  a: {name: A, aliases: [X]}\n  a: {name: B, aliases: [Y]}\n", ["line 4", "'a'"]),
        ("conflict: c\nsides:\n  both: {name: A, aliases: [X]}\n  b: {name: B, aliases: [Y]}\n", ["'both'"]),
        ("conflict: c\nsides:\n  a: {name: A, aliases: []}\n  b: {name: B, aliases: [Y]}\n", ["sides.a.aliases"]),
        ("conflict: c\nsides:\n  a: {name: A, aliases: [No]}\n  b: {name: B, aliases: [Y]}\n", ["sides.a.aliases.0"]),
        (
            "conflict: c\nsides:\n  a: {name: A, alias: [X]}\n  b: {name: B, aliases: [Y]}\n",
            ["sides.a.alias: unknown key"],
        ),
        ("conflict: c\nsides:\n  a: [A]\n  b: {name: B, aliases: [Y]}\n", ["sides.a: must be a mapping"]),
        ("conflict: c\nextra: 1\nsides: {}\n", ["extra", "unknown key"]),
        ("sides: [", ["line", "YAML"]),
        ("- a\n", ["mapping"]),
        ("", ["mapping"]),
    ],
)
def test_bad_sides_files_say_what_is_wrong_in_one_line(tmp_path, content, parts):
    path = tmp_path / "sides.yaml"
    path.write_text(content)
    with pytest.raises(InputError) as error:
        load_conflict(path)
    message = str(error.value)
    assert "\n" not in message
    assert str(path) in message
    for part in parts:
        assert part in message


def test_a_missing_and_a_binary_sides_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_conflict(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        load_conflict(tmp_path / "binary.yaml")


def test_every_packaged_conflict_loads_under_its_own_name():
    for name in packaged_names("conflicts"):
        assert packaged_conflict(name).name == name


def test_an_unknown_conflict_is_named():
    with pytest.raises(InputError, match="atlantis"):
        packaged_conflict("atlantis")


def test_a_side_on_the_command_line():
    assert parse_side(" Kyiv = Ukraine, Ukrainian ") == Side("Kyiv", "Kyiv", ("Kyiv", "Ukraine", "Ukrainian"))
    for bad in ("Kyiv", "Kyiv=", "=Ukraine", "Kyiv= , "):
        with pytest.raises(InputError, match="Name=alias"):
            parse_side(bad)


def test_aliases_that_match_the_same_text_are_the_same():
    assert found(conflict(azerbaijan=[" Baku ", "Free  City"], armenia=["Yerevan"]), "Baku, the Free City") == [
        ("azerbaijan", "Baku"),
        ("azerbaijan", "Free City"),
    ]
    for one, other in (("People's Army", "People’s Army"), ("al-Nusra", "al–Nusra"), (" Baku", "Baku")):
        with pytest.raises(InputError, match="claimed by both"):
            conflict(a=[one], b=[other])


@pytest.mark.parametrize("alias", ["मोदी", "Ọ̀yọ́", "กัมพูชา", "เพื่อไทย", "ຂຶ້ນ", "ကျော်"])
def test_an_alias_with_marks_that_no_letter_composes_with_is_found(alias):
    assert found(conflict(a=[alias], b=["Baku"]), f"{alias} said") == [("a", alias)]
    assert not found(conflict(a=["मोदी"], b=["Baku"]), "मादा said")
    with pytest.raises(InputError, match="empty alias"):
        conflict(a=["\u0301"], b=["Baku"])


def test_a_name_that_no_file_can_hold_is_refused():
    for key, name in (("K\udcffv", "c"), ("a", "c\ud800")):
        with pytest.raises(InputError, match="not UTF-8") as error:
            Conflict(name, (Side(key, key, ("Kyiv",)), Side("b", "b", ("Baku",))))
        str(error.value).encode()


def test_scripts_without_diacritics_stay_whole():
    assert found(conflict(korea=["한국"], japan=["日本"]), "호구 한국 日本") == [("korea", "한국"), ("japan", "日本")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ky\u00adiv said", ["Ky\u00adiv"]),
        ("Mos\u200bcow denied", ["Mos\u200bcow"]),
        ("Kyiv\u200bsaid, \ufeffMoscow\u2060 denied", ["Kyiv", "Moscow"]),
        ("al-\u200bQai\u00adda\u00ad’s men", ["al-\u200bQai\u00adda"]),
        ("Kyiv\u00adsaid, com\u00adrebels", []),
        ("the rebels\u00ad and Ré\u00adbels", ["rebels", "Ré\u00adbels"]),
    ],
)
def test_what_cannot_be_seen_in_a_name_hides_no_mention(text, expected):
    both = conflict(a=["Kyiv", "rebels"], b=["Moscow", "al-Qa\u00adida"])
    assert [text for _, text in found(both, text)] == expected


def test_two_sides_files_cannot_give_a_conflict_other_sides(tmp_path):
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    content = "conflict: strait\nsides:\n  a: {name: A, aliases: [Alba]}\n  b: {name: B, aliases: [Berga]}\n"
    one.write_text(content)
    two.write_text(f"# The same.\n{content}")
    assert list(load_conflicts([one, two])) == ["strait"]
    two.write_text(content.replace("Berga", "Berna"))
    with pytest.raises(InputError, match=r"two.yaml: gives conflict 'strait' other sides than .*one.yaml"):
        load_conflicts([one, two])
