#!/usr/bin/env python3
"""Writes the sample data of this folder, and what a correct import of each file yields.

    generate.py            writes contacts.csv, contacts.jsonl, bad/*, expected.json and README.md
    generate.py --check    writes nothing; fails if a file differs from what would be written

Needs Python 3.9 and nothing else. The seed is fixed: every run writes the same bytes. What a correct import yields is
worked out by a small model of the rules (`expected` below) that shares no code with the program.
"""

import argparse
import json
import math
import pathlib
import random
import re
import sys
from datetime import datetime, timedelta, timezone

SEED = 20270118
CHUNK_SIZE = 100
COLUMNS = ["contact_id", "user_id", "type", "priority", "status", "due_at", "note", "company", "full_name"]
TYPES = {
    "call", "outreach_manual_email", "linkedin_step_connect", "linkedin_step_message", "linkedin_step_view_profile",
    "linkedin_step_interact_post", "action_item",
}
PRIORITIES = {"high", "medium", "low"}
STATUSES = {"scheduled", "completed", "skipped"}

ANNA, BEN, CHLOE, DEVI, EMRE = (
    "66302798d03b9601c7934ebf", "66302798d03b9601c7934ec4", "66302f18d03b9601c7935a10", "6641c0aa2b7d9a01b0f1e233",
    "6650d1ff8e21c70112aa9077",
)

# owner, type, priority, status, due date, note, rows. Each line is one group: what its rows share is one bulk request.
CAMPAIGNS = [
    (ANNA, "call", "high", "scheduled", "2027-02-15T09:00:00-05:00", "Renewal call, ask for the number of seats", 312),
    (ANNA, "call", "medium", "scheduled", "2027-02-16T09:00:00-05:00", "", 100),
    (ANNA, "action_item", "medium", "scheduled", "2027-02-19T16:30:00-05:00",
     "Send the paperwork:\n1. order form\n2. data processing agreement", 64),
    (ANNA, "outreach_manual_email", "low", "scheduled", "2027-03-01T09:00:00-05:00", "Spring newsletter", 201),
    (ANNA, "call", "low", "completed", "2027-01-04T10:00:00-05:00", "Spoken to before the move to the new system", 41),
    (BEN, "call", "high", "scheduled", "2027-02-15T09:00:00-06:00", "Renewal call, ask for the number of seats", 140),
    (BEN, "linkedin_step_connect", "medium", "scheduled", "2027-02-17T08:15:00-06:00", "", 175),
    (BEN, "linkedin_step_message", "medium", "scheduled", "2027-02-24T08:15:00-06:00",
     "Hello! You said \"come back in spring\": here I am.", 99),
    (BEN, "action_item", "high", "scheduled", "2027-02-26T17:00:00-06:00", "Quote \"Enterprise, 3 years\" expires", 18),
    (BEN, "outreach_manual_email", "medium", "skipped", "2027-01-11T09:00:00-06:00", "No consent to e-mail", 7),
    (CHLOE, "call", "medium", "scheduled", "2027-02-15T09:30:00+01:00", "Rappel après le salon à Genève", 88),
    (CHLOE, "call", "high", "scheduled", "2027-02-15T14:00:00+01:00", "Zurückrufen: Größe der Lizenz klären", 53),
    (CHLOE, "action_item", "medium", "scheduled", "2027-02-22T10:00:00+01:00",
     "Visite du site ;\napporter le contrat, la « feuille de route » et les échantillons", 26),
    (CHLOE, "linkedin_step_view_profile", "low", "scheduled", "2027-02-18T09:00:00+01:00", "", 101),
    (CHLOE, "linkedin_step_interact_post", "low", "scheduled", "2027-02-18T09:05:00+01:00",
     "Comment on the post about supply chains \U0001f69a", 33),
    (DEVI, "call", "high", "scheduled", "2027-02-15T10:30:00+05:30", "नमस्ते: demo follow-up", 120),
    (DEVI, "call", "medium", "scheduled", "2027-02-16T10:30:00+05:30", "Demo follow-up, second attempt", 77),
    (DEVI, "outreach_manual_email", "medium", "scheduled", "2027-02-17T11:00:00+05:30", "Pricing sheet 2027", 130),
    (DEVI, "action_item", "low", "scheduled", "2027-03-31T18:00:00+05:30", "Fiscal year ends; check the budget", 45),
    (DEVI, "linkedin_step_connect", "medium", "scheduled", "2027-02-17T11:00:00+05:30", "", 60),
    (EMRE, "call", "medium", "scheduled", "2027-02-15T11:00:00+03:00", "Görüşme: yeni fiyat listesi", 55),
    (EMRE, "call", "medium", "scheduled", "2027-02-15T11:00:00.500+03:00", "Görüşme: yeni fiyat listesi", 5),
    (EMRE, "action_item", "high", "scheduled", "2027-02-20T12:00:00+03:00", "見積書を送る (send the estimate)", 31),
    (EMRE, "outreach_manual_email", "low", "completed", "2027-01-05T09:00:00Z", "Season's greetings", 70),
    (EMRE, "linkedin_step_message", "high", "scheduled", "2027-02-23T09:00:00Z",
     "Congratulations, \"Exporter of the Year\"!", 1),
]

FIRST_NAMES = ["Aiko", "Amélie", "Björn", "Carla", "Chidi", "Dmitri", "Elif", "Fatima", "George", "Hannah", "Ines",
               "Jürgen", "Kavita", "Liam", "Małgorzata", "Noor", "Olga", "Pedro", "Quentin", "Ruth", "Søren", "Tomás",
               "Uma", "Víctor", "Wei", "Ximena", "Yusuf", "Zoë"]
LAST_NAMES = ["Abebe", "Bianchi", "Castro", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Johnson",
              "Kowalska", "Lindqvist", "Müller", "Nguyen", "O'Brien", "Petrov", "Quispe", "Rao", "Şahin", "Tanaka",
              "Umar", "Vasquez", "Weber", "Yılmaz", "Zhang"]
COMPANIES = ["Acme Freight", "Baltic Timber", "Café Lumière", "Delta Pumps, Inc.", "Ekim Lojistik", "Fjord Data",
             "Green & Sons", "Helvetia Präzision", "Indus Textiles", "Jade \"JD\" Motors", "Kestrel Labs",
             "Lopez, Ruiz y Cía.", "Monsoon Foods", "Northwind", "Orchard Health", "Pikes Peak Tools"]


class Dice:
    """Chance from a seed; built on random() alone, whose sequence is the same in every Python."""

    def __init__(self, seed):
        self.source = random.Random(seed)

    def below(self, n):
        return int(self.source.random() * n)

    def pick(self, items):
        return items[self.below(len(items))]

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]

    def hex(self, digits):
        return "".join(self.pick("0123456789abcdef") for _ in range(digits))


# --- Bad rows -------------------------------------------------------------------------------------------------------

class Kind:
    """A kind of bad row, made from a good row's fields.

    change: gives the fields with a fault in them; or csv and jsonl: give the bytes of a record that is broken as such.
    code, jsonl_code: with which code the record is rejected (the same in both formats if only one is named).
    """

    def __init__(self, name, about, change=None, csv=None, jsonl=None, code=None, jsonl_code=None):
        self.name, self.about, self.change, self.csv, self.jsonl = name, about, change, csv, jsonl
        self.code, self.jsonl_code = code, jsonl_code or code


def csv_cells(fields):
    return [csv_cell(fields[c]) for c in COLUMNS]


def csv_cell(text):
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text


def csv_line(fields):
    return ",".join(csv_cells(fields)).encode() + b"\n"


def json_line(fields):
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def replaced(column, value):
    return lambda fields: {**fields, column: value}


def csv_with_note(raw):
    """The CSV line with the note's cell replaced by raw bytes, whatever they break."""

    def write(fields):
        cells = [c.encode() for c in csv_cells(fields)]
        cells[COLUMNS.index("note")] = raw
        return b",".join(cells) + b"\n"

    return write


def json_with_note(raw):
    """The JSON line with the note's value replaced by raw bytes, whatever they break."""

    def write(fields):
        return json_line({**fields, "note": "@note@"}).replace(b'"@note@"', raw)

    return write


def json_with_second_note(fields):
    return json_line(fields)[:-2] + b', "note": "a second note"}\n'


KINDS = [
    Kind("bad_contact_id", "a contact id of another system", replaced("contact_id", "0035g00000LbQXuAAN"),
         code="invalid_contact_id"),
    Kind("empty_contact_id", "no contact id", replaced("contact_id", ""), code="missing_value"),
    Kind("empty_user_id", "no owner", replaced("user_id", ""), code="missing_value"),
    Kind("unknown_type", "a type that the API does not have", replaced("type", "meeting"), code="invalid_type"),
    Kind("unknown_priority", "a priority that the API does not have", replaced("priority", "urgent"),
         code="invalid_priority"),
    Kind("unknown_status", "a status that the API does not have", replaced("status", "open"), code="invalid_status"),
    Kind("bad_date", "a day that does not exist", replaced("due_at", "2027-02-30T09:00:00Z"), code="invalid_due_at"),
    Kind("date_without_zone", "a due date without offset, and no dates.timezone",
         replaced("due_at", "2027-02-15T09:00:00"), code="due_at_without_zone"),
    Kind("empty_date", "no due date", replaced("due_at", ""), code="missing_value"),
    Kind("too_many_columns", "an unquoted comma in the note (JSONL: a key twice)",
         csv=csv_with_note(b"call back, ask for Kim"), jsonl=json_with_second_note, code="too_many_columns",
         jsonl_code="duplicate_key"),
    Kind("too_few_columns", "a line that was cut off",
         csv=lambda f: b",".join(c.encode() for c in csv_cells(f)[:6]) + b"\n",
         jsonl=lambda f: json_line(f)[:90] + b"\n", code="too_few_columns", jsonl_code="invalid_json"),
    Kind("unclosed_quote", "a quote that is opened and never closed: only its first line is lost",
         csv=csv_with_note(b'"call back'), jsonl=json_with_note(b'"call back'), code="stray_quote",
         jsonl_code="invalid_json"),
    Kind("text_after_quote", "text after a closing quote", csv=csv_with_note(b'"Kim" asked for it'),
         jsonl=json_with_note(b'"Kim" asked for it'), code="stray_quote", jsonl_code="invalid_json"),
    Kind("invalid_utf8", "a note in Latin-1", csv=csv_with_note(b"caf\xe9 at ten"),
         jsonl=json_with_note(b'"caf\xe9 at ten"'), code="invalid_utf8"),
]

# Kinds of which the large files have none: a NUL byte makes tools take the file for binary.
RARE_KINDS = [
    Kind("nul_byte", "a NUL byte in the note", csv=csv_with_note(b"call\x00back"),
         jsonl=json_with_note(b'"call\x00back"'), code="nul_byte", jsonl_code="nul_byte"),
]


class Record:
    """One record to be written: good, or bad in the way of its kind."""

    def __init__(self, fields, kind=None):
        self.kind = kind
        self.fields = kind.change(fields) if kind and kind.change else fields
        self.csv = kind.csv(fields) if kind and kind.csv else csv_line(self.fields)
        self.jsonl = kind.jsonl(fields) if kind and kind.jsonl else json_line(self.fields)

    def bytes(self, form):
        return self.csv if form == "csv" else self.jsonl

    def broken(self):
        return self.kind is not None and self.kind.csv is not None


# --- The model: what a correct import yields ------------------------------------------------------------------------

RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")


def due_instant(text):
    """The instant in milliseconds since 1970, or the code of what is wrong with it."""
    if not text:
        return "missing_value"
    match = RFC3339.fullmatch(text)
    if not match:
        return "invalid_due_at"
    day, time, fraction, zone = match.groups()
    try:
        local = datetime.strptime(day + " " + time, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return "invalid_due_at"
    if zone is None:
        return "due_at_without_zone"
    offset = timedelta(0)
    if zone not in "Zz":
        sign = -1 if zone[0] == "-" else 1
        offset = sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    seconds = (local - offset - datetime(1970, 1, 1)).total_seconds()
    return round(seconds) * 1000 + (int((fraction[1:] + "000")[:3]) if fraction else 0)


def reject_code(fields):
    """The code of the first fault in the row's fields, or None."""
    if not fields["contact_id"]:
        return "missing_value"
    if not re.fullmatch("[0-9a-fA-F]{24}", fields["contact_id"]):
        return "invalid_contact_id"
    if not fields["user_id"]:
        return "missing_value"
    if fields["type"] not in TYPES:
        return "invalid_type"
    if fields["priority"] and fields["priority"] not in PRIORITIES:
        return "invalid_priority"
    if fields["status"] not in STATUSES:
        return "invalid_status"
    due = due_instant(fields["due_at"])
    return due if isinstance(due, str) else None


def expected(records, form):
    """Counts of a correct import with default settings into an empty ledger."""
    seen, groups, codes, duplicates = set(), {}, {}, 0
    for record in records:
        if record.broken():
            code = record.kind.code if form == "csv" else record.kind.jsonl_code
        else:
            code = reject_code(record.fields)
        if code:
            codes[code] = codes.get(code, 0) + 1
            continue
        f = record.fields
        details = (f["user_id"].lower(), f["type"], f["priority"] or "medium", f["status"], due_instant(f["due_at"]),
                   f["note"])
        task = (details, f["contact_id"].lower())
        if task in seen:
            duplicates += 1
            continue
        seen.add(task)
        groups[details] = groups.get(details, 0) + 1
    return {
        "rows": len(records),
        "created": len(seen),
        "duplicate": duplicates,
        "rejected": sum(codes.values()),
        "rejected_by_code": dict(sorted(codes.items())),
        "groups": len(groups),
        "minimum_requests": sum(math.ceil(n / CHUNK_SIZE) for n in groups.values()),
    }


# --- The rows -------------------------------------------------------------------------------------------------------

def other_spelling(due):
    """The same instant, written in UTC."""
    local = datetime.fromisoformat(due.replace("Z", "+00:00"))
    return local.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + "Z"


def people(dice, count):
    return [(dice.hex(24), dice.pick(COMPANIES), dice.pick(FIRST_NAMES) + " " + dice.pick(LAST_NAMES))
            for _ in range(count)]


def campaign_rows(dice, contacts, campaign):
    owner, kind, priority, status, due, note, count = campaign
    members = list(contacts)
    dice.shuffle(members)
    for contact_id, company, name in members[:count]:
        yield {
            "contact_id": contact_id, "user_id": owner, "type": kind,
            # an absent priority is medium, and an instant may be spelt in several ways: still one group
            "priority": "" if priority == "medium" and dice.below(4) == 0 else priority,
            "status": status,
            "due_at": other_spelling(due) if "." not in due and dice.below(5) == 0 else due,
            "note": note, "company": company, "full_name": name,
        }


def contacts_records():
    dice = Dice(SEED)
    contacts = people(dice, 1500)
    rows = [row for campaign in CAMPAIGNS for row in campaign_rows(dice, contacts, campaign)]
    dice.shuffle(rows)
    records = [Record(row) for row in rows]
    # a bad row is a copy of a good one with one fault: mended, it is a duplicate at worst
    bad = [Record(dict(dice.pick(rows)), KINDS[i % len(KINDS)]) for i in range(3 * len(KINDS))]
    for record in bad:
        records.insert(20 + dice.below(len(records) - 40), record)
    return records + duplicates_of(dice, rows)


def duplicates_of(dice, rows):
    """Rows that ask for a task which an earlier row asks for: copied, and spelt in other ways."""
    whole_seconds = [row for row in rows if "." not in row["due_at"]]
    copies = [dict(dice.pick(whole_seconds)) for _ in range(6)]
    copies[1]["contact_id"] = copies[1]["contact_id"].upper()
    copies[2]["due_at"] = other_spelling(copies[2]["due_at"])
    copies[3]["company"] = "a column that does not count"
    return [Record(row) for row in copies]


def bad_file_records(kind):
    """Two good rows with the bad one between them."""
    base = {
        "user_id": ANNA, "type": "call", "priority": "high", "status": "scheduled",
        "due_at": "2027-02-15T09:00:00-05:00", "note": "Renewal call", "company": "Northwind",
    }
    names = [("6630a1b2c3d4e5f601020304", "Ruth Weber"), ("6630a1b2c3d4e5f601020305", "Wei Zhang"),
             ("6630a1b2c3d4e5f601020306", "Zoë Rao")]
    rows = [{"contact_id": i, **base, "full_name": n} for i, n in names]
    return [Record(rows[0]), Record(rows[1], kind), Record(rows[2])]


def in_form(records, form):
    head = (",".join(COLUMNS) + "\n").encode() if form == "csv" else b""
    return head + b"".join(r.bytes(form) for r in records)


# --- Output ---------------------------------------------------------------------------------------------------------

def table(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(r, widths)) + " |" for r in rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def readme(yields):
    large = {name: yields[name] for name in ("contacts.csv", "contacts.jsonl")}
    keys = ["rows", "created", "duplicate", "rejected", "groups", "minimum_requests"]
    totals = table([["file"] + keys] + [[f"`{n}`"] + [f"{y[k]:,}" for k in keys] for n, y in large.items()])
    share = 100 * large["contacts.csv"]["rejected"] / large["contacts.csv"]["rows"]
    codes = sorted({c for y in large.values() for c in y["rejected_by_code"]})
    by_code = table([["code"] + [f"`{n}`" for n in large]] +
                    [[f"`{c}`"] + [str(y["rejected_by_code"].get(c, 0)) for y in large.values()] for c in codes])
    kinds = table([["files in `bad/`", "the second record has", "code in CSV", "code in JSONL"]] +
                  [[f"`{k.name}.csv`, `.jsonl`", k.about, f"`{k.code}`", f"`{k.jsonl_code}`"]
                   for k in KINDS + RARE_KINDS])
    return f"""# Sample data

Made by `generate.py` (fixed seed, Python's standard library only); `generate.py --check` tells whether the files are as
it would write them. All people, companies and ids are invented.

- `contacts.csv`: a campaign plan of five owners: calls, e-mails, LinkedIn steps and action items for 1,500 contacts.
  Columns have the API's names; `company` and `full_name` are not used. Notes hold commas, quotes, line breaks and
  Unicode. Due dates carry offsets, and some rows spell the same instant in UTC; some leave `priority` empty, which is
  `medium`. Neither makes a group of its own.
- `contacts.jsonl`: the same rows, one JSON object a line.
- `bad/`: one small file per kind of bad row.
- `exports/`: five exports as CRMs make them ([README](exports/README.md)).
- `expected.json`: the figures below, for programs.

## What a correct import yields

With default settings (`import.chunk_size = {CHUNK_SIZE}`, no `[defaults]`, no `dates.timezone`), an empty ledger, and a
server that takes {CHUNK_SIZE} contacts in a request:

{totals}

The import ends with exit code 2, since some rows are rejected. They are {share:.1f} % of the rows, below `import.max_rejects`.
`duplicate` rows are the last six records: exact copies, one with its contact id in capitals, one with its due date in
UTC, one with another company. The rejected rows by code:

{by_code}

In a ledger that has seen one of the two files, the other one creates nothing: every good row is a `duplicate`.

## One file per kind

Each has three records; the second is rejected, the other two are created with one request.

{kinds}
"""


def everything():
    """All files of this folder that are generated: name -> bytes."""
    contacts = contacts_records()
    files, yields = {}, {}
    for form in ("csv", "jsonl"):
        sets = {f"contacts.{form}": contacts}
        sets.update({f"bad/{kind.name}.{form}": bad_file_records(kind) for kind in KINDS + RARE_KINDS})
        for name, records in sets.items():
            files[name] = in_form(records, form)
            yields[name] = expected(records, form)
    files["expected.json"] = (json.dumps(yields, indent=2, sort_keys=True) + "\n").encode()
    files["README.md"] = readme(yields).encode()
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file is not as it should be")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent,
                        help="folder to write to (default: this script's)")
    options = parser.parse_args()
    stale = []
    for name, content in everything().items():
        path = options.out / name
        if path.is_file() and path.read_bytes() == content:
            continue
        stale.append(name)
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    if options.check and stale:
        sys.exit("not as generate.py would write them: " + ", ".join(stale))
    print(f"{len(stale)} files written" if stale else "all files are up to date")


if __name__ == "__main__":
    main()
