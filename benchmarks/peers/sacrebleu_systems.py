"""System outputs of WMT 2022, as ../src/systems.mjs reads them."""


def read_systems(path):
    with open(path, encoding="utf-8") as lines:
        head, *rows = [line.split("\t") for line in lines.read().rstrip("\n").split("\n")]
    column = lambda at: [row[at] for row in rows]
    return column(1), {name: column(at) for at, name in enumerate(head) if at >= 2}
