"""The where language against exact arithmetic and against DuckDB, on random columns and conditions."""

import datetime as dt
import decimal
import math
import random
import re
from fractions import Fraction

import pytest

pa = pytest.importorskip("pyarrow")
np = pytest.importorskip("numpy")
duckdb = pytest.importorskip("duckdb")

ROWS = 150
INFINITY, NAN = math.inf, math.nan
RELATIONS = {
    "=": lambda c: c == 0, "==": lambda c: c == 0, "<>": lambda c: c != 0, "!=": lambda c: c != 0,
    "<": lambda c: c < 0, "<=": lambda c: c <= 0, ">": lambda c: c > 0, ">=": lambda c: c >= 0,
}


@pytest.fixture
def kept(db):
    """A function that stores a table and tells which of its rows a condition keeps."""
    tables = 0

    def store(table):
        nonlocal tables
        tables += 1
        name = f"t{tables}"
        numbered = table.append_column("row number", pa.array(range(table.num_rows), pa.int64()))
        db.write(name, numbered)

        def ask(where):
            rows = db.read(name, columns=["row number"], where=where).to_arrow()
            found = set(rows.column(0).to_pylist())
            return [i in found for i in range(table.num_rows)]
        return ask
    return store


# ---- numbers of every type, exactly ----

EDGES = [0, 1, -1, 127, 128, 255, -128, 65504, 2**24, 2**24 + 1, 2**53 - 1, 2**53, 2**53 + 1,
         2**62, 2**63 - 1025, 2**63 - 1, -2**63, 10**15 + 1, 10**18]
REALS = [0.1, 0.5, 1.5, -2.25, 1e-3, 123.45, -0.01, 3.0, 5e-324, 1.7e308, 1e22, 1e23,
         INFINITY, -INFINITY, NAN, -0.0]
LITERALS = ["0.1", "0.5", "-2.25", "1e-3", "123.45", "1e400", "-1e400", "1e-400", "65519.9", "3.5e38",
            ".5", "5.", "0.10000", "12345678901234567890.5", "-0.0", "0.30000000000000004"]


def an_integer(pick, low, high):
    value = pick.choice(EDGES) + pick.choice([-1, 0, 0, 1])
    return value if low <= value <= high and pick.random() < 0.7 else pick.choice(
        [low, high, max(low, pick.randrange(-9, 10)), pick.randrange(low, high + 1)])


def a_decimal(pick, digits, scale):
    value = pick.randrange(10**pick.randrange(1, digits + 1))
    return decimal.Decimal(pick.choice([value, -value])).scaleb(-scale, decimal.Context(prec=90))


def a_real(pick):
    return pick.choice([float(pick.choice(EDGES)), pick.choice(REALS), pick.uniform(-10, 10)])


def numbers(pick):
    def values(make):
        return [None if pick.random() < 0.1 else make() for _ in range(ROWS)]

    columns = {}
    for bits in (8, 16, 32, 64):
        columns[f"i{bits}"] = pa.array(
            values(lambda b=bits: an_integer(pick, -2**(b - 1), 2**(b - 1) - 1)), f"int{bits}")
        columns[f"u{bits}"] = pa.array(values(lambda b=bits: an_integer(pick, 0, 2**b - 1)), f"uint{bits}")
    with np.errstate(all="ignore"):
        columns["f16"] = pa.array([np.float16(a_real(pick)) for _ in range(ROWS)], pa.float16())
        columns["f32"] = pa.array(values(lambda: float(np.float32(a_real(pick)))), pa.float32())
    columns["f64"] = pa.array(values(lambda: a_real(pick)), pa.float64())
    for name, kind, digits, scale in (("d64", pa.decimal64, 18, 4), ("d128", pa.decimal128, 38, 10),
                                      ("d256", pa.decimal256, 76, 30), ("d0", pa.decimal128, 20, 0)):
        columns[name] = pa.array(values(lambda d=digits, s=scale: a_decimal(pick, d, s)), kind(digits, scale))
    return pa.table(columns)


def place(value):
    """Where a number stands: NaN above all."""
    if isinstance(value, (float, np.floating)):
        value = float(value)
        if math.isnan(value):
            return (2, 0)
        if math.isinf(value):
            return (1 if value > 0 else -1, 0)
    return (0, Fraction(value))


def literal_place(text, column):
    """A literal with a point or an exponent is the nearest float against a float column."""
    if column.startswith("f") and re.search("[.e]", text):
        with np.errstate(all="ignore"):
            nearest = {"f16": np.float16, "f32": np.float32, "f64": np.float64}[column](float(text))
        if not np.isinf(nearest):
            return place(nearest)
    return (0, Fraction(decimal.Decimal(text)))


def holds(relation, left, right):
    if left is None or right is None:
        return False
    return RELATIONS[relation]((left > right) - (left < right))


@pytest.mark.parametrize("seed", range(2))
def test_numbers_of_all_types_compare_exactly(kept, seed):
    pick = random.Random(seed)
    table = numbers(pick)
    ask = kept(table)
    places = {name: [None if v is None else place(v) for v in table[name].to_pylist()]
              for name in table.column_names}
    for left in table.column_names:
        for right in pick.sample(table.column_names, 6):
            relation = pick.choice(list(RELATIONS))
            wanted = [holds(relation, a, b) for a, b in zip(places[left], places[right], strict=True)]
            assert ask(f"{left} {relation} {right}") == wanted, f"{left} {relation} {right}"
        for _ in range(8):
            relation = pick.choice(list(RELATIONS))
            text = pick.choice([str(pick.choice(EDGES) + pick.choice([-1, 0, 1])), pick.choice(LITERALS),
                                str(pick.randrange(-10**60, 10**60)), repr(pick.uniform(-10, 10))])
            at = literal_place(text, left)
            wanted = [holds(relation, a, at) for a in places[left]]
            assert ask(f"{left} {relation} {text}") == wanted, f"{left} {relation} {text}"


# ---- the whole language, as DuckDB answers ----

WORDS = ["", "a", "ab", "abc", "b", "ba", "zebra", "Zebra", "ä", "äb", "it's", "a%b", "a_b",
         "longer than sixteen bytes", "longer than sixteen byteZ", "\U0001f344x"]
PATTERNS = ["a%", "%a%", "%b", "_", "__", "a_%", "%", "", "ä_", "%e_r%", "%sixteen%byte_", "A%", "a%b", "_%a"]
START = dt.datetime(2013, 1, 1)


def mixture(pick, rows):
    def column(make, kind):
        return pa.array([None if pick.random() < 0.15 else make() for _ in range(rows)], kind)

    hours = lambda: START + dt.timedelta(hours=pick.randrange(-48, 48))  # noqa: E731
    return pa.table({
        "i": column(lambda: pick.randrange(-5, 6), pa.int32()),
        "u": column(lambda: pick.randrange(0, 6), pa.uint8()),
        "f": column(lambda: pick.choice([0.0, -0.0, 0.1, 0.5, 1.5, -2.0, NAN, INFINITY, -INFINITY]), pa.float64()),
        "d": column(lambda: decimal.Decimal(pick.randrange(-300, 300)) / 100, pa.decimal128(6, 2)),
        "s": column(lambda: pick.choice(WORDS), pa.string()),
        "k": column(lambda: pick.choice(WORDS[:6]), pa.string()).dictionary_encode(),
        "y": column(lambda: pick.choice([b"", b"\0", b"a", b"\xff", b"ab"]), pa.binary()),
        "b": column(lambda: pick.random() < 0.5, pa.bool_()),
        "day": column(lambda: hours().date(), pa.date32()),
        "t": column(hours, pa.timestamp("us")),
        "ms": column(lambda: START + dt.timedelta(milliseconds=500 * pick.randrange(-5, 5)), pa.timestamp("ms")),
        "n": column(lambda: {"a": pick.choice([None, 1, 2]), "s": pick.choice(WORDS[:5])},
                    pa.struct([("a", pa.int32()), ("s", pa.string())])),
    })


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


# Columns that compare with each other, and literals for them. DuckDB makes doubles of decimals, so
# these are not held against float columns.
KINDS = [
    (["i", "u", "d", "n.a"], ["0", "1", "-1", "3", "1.5", "-2", "2.50", "0.123", "100000", "-0.5", "null"]),
    (["f"], ["0", "1", "0.1", "1.5", "-2", "1e0", "15e-1", "0.123", "null"]),
    (["s", "k", "n.s"], [*map(quoted, WORDS), "null"]),
    (["y"], ["x'00'", "x'61'", "x'ff'", "x'6162'", "null"]),
    (["b"], ["true", "false", "null"]),
    (["day", "t", "ms"], ["date '2013-01-01'", "date '2012-12-30'", "timestamp '2013-01-01 12:00:00'",
                          "timestamp '2013-01-01 00:00:00.5'", "timestamp '2012-12-31 23:59:59'", "null"]),
]


def leaf(pick):
    columns, literals = pick.choice(KINDS)
    column, word = pick.choice(columns), pick.choice(["", "not "])
    value = lambda: pick.choice(literals if pick.random() < 0.85 else columns)  # noqa: E731
    kind = pick.randrange(8)
    if kind == 0 and "s" in columns:
        return f"{column} {word}like {quoted(pick.choice(PATTERNS))}"
    if kind == 0 and "b" in columns:
        return f"{word}{column}"
    if kind == 1:
        return f"{column} is {word}null"
    if kind == 2:
        return f"{column} {word}in ({', '.join(value() for _ in range(pick.choice([1, 2, 3, 9])))})"
    if kind == 3:
        return f"{column} {word}between {value()} and {value()}"
    pair = [column, value()]
    pick.shuffle(pair)
    return f" {pick.choice(list(RELATIONS))} ".join(pair)


def condition(pick, depth):
    kind = pick.randrange(5) if depth > 0 else 0
    if kind <= 1:
        return leaf(pick)
    if kind == 2:
        return f"not ({condition(pick, depth - 1)})"
    return f"({condition(pick, depth - 1)}) {pick.choice(['and', 'or', 'AND'])} ({condition(pick, depth - 1)})"


def blobs(where):
    """x'6162' as DuckDB writes it."""
    return re.sub(r"x'([0-9a-f]*)'", lambda m: f"from_hex('{m[1]}')", where)


@pytest.mark.parametrize("seed", range(4))
def test_random_conditions_keep_what_duckdb_keeps(kept, seed):
    pick = random.Random(seed)
    table = mixture(pick, pick.choice([1, 60, 200]))
    ask = kept(table)
    with duckdb.connect() as connection:
        connection.register("rows", table)
        for _ in range(60):
            where = condition(pick, pick.randrange(4))
            answer = connection.sql(f"select coalesce(({blobs(where)}), false) from rows").fetchall()
            assert ask(where) == [value for (value,) in answer], where
