#!/usr/bin/env python3
"""Writes the exports of this folder as CRMs make them, and what is in them.

    generate.py            writes the five exports, contents.json and README.md
    generate.py --check    writes nothing; fails if a file differs from what would be written

Needs Python 3.9 and nothing else. The seed is fixed: every run writes the same bytes. All people are invented; the
owners are the users of `taskbarge sandbox`.
"""

import argparse
import csv
import io
import json
import pathlib
import random
import sys

SEED = 20270215
PEOPLE = 200

# The users of the sandbox: first name, last name, Apollo's id.
OWNERS = [
    ("Dana", "Reyes", "66302798d03b9601c7934ebf"), ("Sam", "Okafor", "66302798d03b9601c7934ec0"),
    ("Lena", "Fischer", "66302798d03b9601c7934ec1"), ("Raj", "Patel", "66302798d03b9601c7934ec2"),
    ("Mei", "Tanaka", "66302798d03b9601c7934ec3"), ("Tom", "Baker", "66302798d03b9601c7934ec4"),
]

FIRST_NAMES = ["Aiko", "Amélie", "Björn", "Carla", "Chidi", "Dmitri", "Elif", "Fatima", "George", "Hannah", "Ines",
               "Jürgen", "Kavita", "Liam", "Noor", "Olga", "Pedro", "Ruth", "Søren", "Tomás", "Uma", "Wei", "Yusuf"]
LAST_NAMES = ["Abebe", "Bianchi", "Castro", "Dubois", "Eriksen", "García", "Haddad", "Ito", "Johnson", "Kowalska",
              "Lindqvist", "Müller", "Nguyen", "O'Brien", "Petrov", "Quispe", "Rao", "Şahin", "Vasquez", "Weber"]
PLAIN = str.maketrans("áâäãåçéèêëíîïñóôöøõúüûışÅÇÉÖØÜŞİ", "aaaaaceeeeiiinooooouuuisACEOOUSI", "'")
# Company, domain, industry, employees, city, state, country.
COMPANIES = [
    ("Acme Freight", "acme-freight.example", "logistics & supply chain", 210, "Denver", "Colorado", "United States"),
    ("Baltic Timber", "baltic-timber.example", "paper & forest products", 85, "Riga", "", "Latvia"),
    ("Delta Pumps, Inc.", "delta-pumps.example", "machinery", 1200, "Houston", "Texas", "United States"),
    ("Fjord Data", "fjord-data.example", "information technology & services", 45, "Bergen", "Vestland", "Norway"),
    ("Green & Sons", "green-and-sons.example", "wholesale", 33, "Leeds", "England", "United Kingdom"),
    ("Helvetia Präzision", "helvetia.example", "mechanical or industrial engineering", 150, "Bern", "", "Switzerland"),
    ('Jade "JD" Motors', "jd-motors.example", "automotive", 640, "Detroit", "Michigan", "United States"),
    ("Lopez, Ruiz y Cía.", "lopez-ruiz.example", "accounting", 28, "Valencia", "", "Spain"),
    ("Monsoon\u00a0Foods", "monsoon.example", "food & beverages", 410, "Pune", "Maharashtra", "India"),
    ("Orchard Health", "orchard.example", "hospital & health care", 2300, "Seattle", "Washington", "United States"),
]
TITLES = [("VP of Sales", "Vp", "Sales"), ("Head of Operations", "Head", "Operations"),
          ("Chief Financial Officer", "C suite", "C-Suite, Finance"), ("IT Manager", "Manager", "Information Technology"),
          ("Procurement Specialist", "Entry", ""), ("Founder & CEO", "Founder", "C-Suite")]
STREETS = ["12 Harbour Road", "Am Markt 4", "1600 Mill Street\r\nSuite 210", "Calle Mayor, 8", "77 Station Lane"]


class Dice:
    """Chance from a seed; built on random() alone, whose sequence is the same in every Python."""

    def __init__(self, seed):
        self.source = random.Random(seed)

    def below(self, n):
        return int(self.source.random() * n)

    def pick(self, items):
        return items[self.below(len(items))]

    def hex(self, digits):
        return "".join(self.pick("0123456789abcdef") for _ in range(digits))

    def text(self, letters, count):
        return "".join(self.pick(letters) for _ in range(count))


def salesforce_id(dice, prefix):
    """An id of 18 characters: 15, and three that tell which of them are capitals."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    short = prefix + "5g0000" + dice.text(letters, 6)
    check = ""
    for part in (short[0:5], short[5:10], short[10:15]):
        check += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[sum(1 << i for i, c in enumerate(part) if "A" <= c <= "Z")]
    return short + check


class Person:
    """A contact as all three CRMs know it."""

    def __init__(self, dice, number):
        self.number = number
        # Each pair of names once, so that e-mail addresses are different.
        self.first = FIRST_NAMES[number % len(FIRST_NAMES)]
        self.last = LAST_NAMES[number * 7 % len(LAST_NAMES)]
        plain = f"{self.first}.{self.last}".translate(PLAIN).lower()
        self.email = f"{plain}@example.com"
        self.company = dice.pick(COMPANIES)
        self.title = dice.pick(TITLES)
        self.owner = OWNERS[dice.below(len(OWNERS))]
        self.apollo_id = "66e8" + dice.hex(20)
        self.apollo_account = f"66a1{COMPANIES.index(self.company):02d}" + "b7c3d4e5f6a7b8c9d0"
        self.hubspot_id = str(10000 + number * 50 + dice.below(50))
        self.salesforce_id = salesforce_id(dice, "003")
        self.phone = f"+1 555-01{dice.below(100):02d}"
        self.created = f"2026-0{1 + dice.below(9)}-{1 + dice.below(28):02d}"
        self.stage = dice.pick(["Cold", "Approaching", "Replied", "Interested"])

    def name(self):
        return f"{self.first} {self.last}"


def owner_email(owner):
    return f"{owner[0]}.{owner[1]}@example.com".lower()


def people():
    dice = Dice(SEED)
    return [Person(dice, number) for number in range(PEOPLE)]


def csv_text(header, rows, line_end="\n", quote_all=False):
    def cell(text):
        if quote_all or any(c in text for c in ',"\r\n'):
            return '"' + text.replace('"', '""') + '"'
        return text

    return "".join(",".join(cell(c) for c in row) + line_end for row in [header] + rows).encode()


# --- Apollo ---------------------------------------------------------------------------------------------------------

APOLLO_HEADER = [
    "First Name", "Last Name", "Title", "Company", "Company Name for Emails", "Email", "Email Status",
    "Primary Email Source", "Email Confidence", "Primary Email Catch-all Status", "Primary Email Last Verified At",
    "Seniority", "Departments", "Contact Owner", "Work Direct Phone", "Home Phone", "Mobile Phone", "Corporate Phone",
    "Other Phone", "Stage", "Lists", "Last Contacted", "Account Owner", "# Employees", "Industry", "Keywords",
    "Person Linkedin Url", "Website", "Company Linkedin Url", "Facebook Url", "Twitter Url", "City", "State", "Country",
    "Company Address", "Company City", "Company State", "Company Country", "Company Phone", "Technologies",
    "Annual Revenue", "Total Funding", "Latest Funding", "Latest Funding Amount", "Last Raised At", "Subsidiary of",
    "Email Sent", "Email Open", "Email Bounced", "Replied", "Demoed", "Apollo Contact Id", "Apollo Account Id",
]


def apollo_contacts(everybody):
    """A byte order mark, quotes where they are needed, phones with an apostrophe, every contact with its owner."""
    rows = []
    dice = Dice(SEED + 1)
    for p in everybody[:180]:
        company, domain, industry, employees, city, state, country = p.company
        title, seniority, departments = p.title
        verified = dice.below(5) != 0
        contacted = dice.below(3) == 0
        values = {
            "First Name": p.first, "Last Name": p.last, "Title": title, "Company": company,
            "Company Name for Emails": company.replace(", Inc.", ""), "Email": p.email,
            "Email Status": "Verified" if verified else "Extrapolated", "Primary Email Source": "Apollo",
            "Primary Email Last Verified At": p.created + "T07:12:44+00:00" if verified else "",
            "Seniority": seniority, "Departments": departments, "Contact Owner": owner_email(p.owner),
            "Work Direct Phone": "'" + p.phone if dice.below(2) else "", "Corporate Phone": "'+1 555-0100",
            "Stage": p.stage, "Lists": dice.pick(["", "Spring campaign", "Spring campaign, Trade fair 2026"]),
            "Last Contacted": p.created + "T15:30:00.000+00:00" if contacted else "",
            "Account Owner": owner_email(OWNERS[0]), "# Employees": str(employees), "Industry": industry,
            "Keywords": ", ".join([industry, "b2b", "export, import", 'so-called "solutions"'][:1 + dice.below(4)]),
            "Person Linkedin Url": f"http://www.linkedin.com/in/example-{p.number:04d}",
            "Website": f"http://www.{domain}", "City": city, "State": state, "Country": country,
            "Company Address": ", ".join(x for x in (city, state, country) if x), "Company City": city,
            "Company State": state, "Company Country": country, "Company Phone": "'+1 555-0100",
            "Technologies": dice.pick(["", "Gmail, Google Apps, Salesforce", "Outlook, HubSpot"]),
            "Annual Revenue": str(employees * 90000), "Email Sent": str(contacted).lower(), "Email Open": "false",
            "Email Bounced": "false", "Replied": str(p.stage == "Replied").lower(), "Demoed": "false",
            "Apollo Contact Id": p.apollo_id, "Apollo Account Id": p.apollo_account,
        }
        rows.append([values.get(column, "") for column in APOLLO_HEADER])
    return b"\xef\xbb\xbf" + csv_text(APOLLO_HEADER, rows)


# --- HubSpot --------------------------------------------------------------------------------------------------------

# Title, type, priority, notes. Notes are HTML, as HubSpot keeps them.
TASK_KINDS = [
    ("Renewal call", "CALL", "HIGH",
     '<div style="" dir="auto" data-top-level="true"><p style="margin:0;">Ask about the renewal &amp; the number of '
     "seats</p></div>"),
    ("Send the offer", "EMAIL", "MEDIUM",
     '<div style="" dir="auto" data-top-level="true"><p style="margin:0;">Offer "Enterprise, 3 years"</p>\n'
     '<p style="margin:0;">Price list&nbsp;2027: <a href="https://example.com/prices" target="_blank">here</a></p>'
     "</div>"),
    ("Prepare the visit", "TODO", "NONE",
     "<p>Bring:</p>\n<ul>\n<li>the contract</li>\n<li>the <strong>signed</strong> order form</li>\n</ul>"),
    ("Call after the trade fair", "CALL", "LOW", ""),
    ("Thank-you note", "EMAIL", "NONE", "<p>Thanks for the talk;<br>see you in\u00a0spring</p>"),
]
TASKS_HEADER = [
    "Record ID", "Task Title", "Task Type", "Task Status", "Priority", "Due date", "Assigned to", "Notes",
    "Associated Contact", "Associated Contact IDs", "Associated Company", "Queue", "Create date", "Completed at",
    "Apollo Contact ID",
]


def hubspot_tasks(everybody):
    """Every cell in quotes. The internal words of type, status and priority. Two tasks whose contact has no Apollo id."""
    dice = Dice(SEED + 2)
    rows = []
    for i in range(120):
        p = everybody[dice.below(180)]
        title, kind, priority, notes = TASK_KINDS[dice.below(len(TASK_KINDS))]
        done = dice.below(6) == 0
        day = f"2026-10-{1 + dice.below(28):02d}" if done else dice.pick(["2027-02-15", "2027-02-16", "2027-03-01"])
        due = f"{day} {dice.pick(['09:00', '14:30'])}"
        owner = OWNERS[dice.below(4)]
        apollo_id = "" if i in (17, 90) else p.apollo_id + ("\u00a0" if i == 40 else "")
        rows.append([
            str(58210000000 + i * 131 + dice.below(100)), title, kind, "COMPLETED" if done else "NOT_STARTED", priority,
            due, f"{owner[0]} {owner[1]} ({owner_email(owner)})", notes, f"{p.name()} ({p.email})", p.hubspot_id,
            p.company[0] if dice.below(4) else "", "", f"{p.created} 08:15", f"{due[:-2]}45" if done else "", apollo_id,
        ])
    return csv_text(TASKS_HEADER, rows, quote_all=True)


CONTACTS_HEADER = [
    "Record ID", "First Name", "Last Name", "Email", "Phone Number", "Contact owner", "Primary Associated Company ID",
    "Last Activity Date", "Lead Status", "Marketing contact status", "Create Date", "Associated Company", "Apollo ID",
]


def hubspot_contacts(everybody):
    """Every cell in quotes. Owners by their full name; two contacts without an owner, three without an Apollo id."""
    dice = Dice(SEED + 3)
    rows = []
    for i, p in enumerate(everybody[40:160]):
        owner = "" if i in (25, 77) else f"{p.owner[0]} {p.owner[1]}"
        rows.append([
            p.hubspot_id, p.first, p.last, p.email, p.phone if dice.below(3) else "", owner,
            str(20000 + COMPANIES.index(p.company)), f"{p.created} 16:04" if dice.below(2) else "",
            dice.pick(["NEW", "OPEN", "IN_PROGRESS", ""]), dice.pick(["Marketing contact", "Non-marketing contact"]),
            f"{p.created} 08:15", p.company[0], "" if i in (3, 60, 110) else p.apollo_id,
        ])
    return csv_text(CONTACTS_HEADER, rows, quote_all=True)


# --- Salesforce -----------------------------------------------------------------------------------------------------

SALESFORCE_HEADER = [
    "ID", "ACCOUNTID", "LASTNAME", "FIRSTNAME", "SALUTATION", "TITLE", "EMAIL", "PHONE", "MAILINGSTREET", "MAILINGCITY",
    "MAILINGSTATE", "MAILINGPOSTALCODE", "MAILINGCOUNTRY", "LEADSOURCE", "DESCRIPTION", "HASOPTEDOUTOFEMAIL", "OWNERID",
    "OWNER.EMAIL", "CREATEDDATE", "LASTMODIFIEDDATE",
]


def salesforce_contacts(everybody, with_apollo_id):
    """Upper case, every cell in quotes, CRLF; ids of 18 characters; streets with line breaks."""
    dice = Dice(SEED + 4 + with_apollo_id)
    ids = Dice(SEED + 6)
    owner_ids = [salesforce_id(ids, "005") for _ in OWNERS]
    account_ids = [salesforce_id(ids, "001") for _ in COMPANIES]
    # Without Apollo's ids: the last 20 are not known to Apollo.
    chosen = everybody[60:180] if with_apollo_id else everybody[80:200]
    rows = []
    for i, p in enumerate(chosen):
        company, _, _, _, city, state, country = p.company
        email = p.email.upper() if i % 11 == 5 else p.email
        row = [
            p.salesforce_id, account_ids[COMPANIES.index(p.company)], p.last, p.first,
            dice.pick(["", "Ms.", "Mr.", "Dr."]), p.title[0], "" if not with_apollo_id and i == 30 else email, p.phone,
            dice.pick(STREETS), city, state, f"{10000 + dice.below(80000)}" if dice.below(3) else "", country,
            dice.pick(["Web", "Trade Show", "Partner", ""]),
            'Met at the fair; said "come back in spring"' if i % 20 == 7 else "",
            str(dice.below(9) == 0).lower(), owner_ids[OWNERS.index(p.owner)], owner_email(p.owner),
            f"{p.created}T08:15:22.000Z", f"{p.created}T17:40:03.000Z",
        ]
        if with_apollo_id:
            row.append("" if i in (12, 99) else p.apollo_id)
        rows.append(row)
    header = SALESFORCE_HEADER + (["APOLLO_CONTACT_ID__C"] if with_apollo_id else [])
    return csv_text(header, rows, "\r\n", quote_all=True)


# --- Output ---------------------------------------------------------------------------------------------------------

README = """# Exports as CRMs make them

Made by `generate.py` (fixed seed, Python's standard library only); `generate.py --check` tells whether the files are as
it would write them. All people, companies and ids are invented, every address is at `example.com`; the owners are the
users of `taskbarge sandbox`. The people are the same ones in all files: a contact has one Apollo id and one address.

| file | rows | is |
|---|---|---|
| `apollo_contacts.csv` | 180 | Apollo's export of contacts: 53 columns, a byte order mark, `Apollo Contact Id`, the owner's address in `Contact Owner`; nothing of a task |
| `hubspot_tasks.csv` | 120 | HubSpot's export of tasks: `CALL`, `EMAIL`, `TODO`; `NOT_STARTED`, `COMPLETED`; priority `NONE`; owners as `Dana Reyes (dana.reyes@example.com)`; notes in HTML; `Record ID` is the task's id. `Apollo Contact ID` is a column of the user's own, empty in 2 rows |
| `hubspot_contacts.csv` | 120 | HubSpot's export of contacts: owners by full name, none in 2 rows; a column `Apollo ID` of the user's own, empty in 3 |
| `salesforce_contacts_apollo_id.csv` | 120 | Salesforce's Data Loader: upper case, all in quotes, CRLF, `OWNERID` with Salesforce's ids beside `OWNER.EMAIL`; `APOLLO_CONTACT_ID__C` is a field of the user's own, empty in 2 rows |
| `salesforce_contacts.csv` | 120 | the same without Apollo's ids: 100 rows are contacts of `apollo_contacts.csv` by their address (one of them is without it), 20 are unknown to Apollo |

Dates are local times without a zone in HubSpot's files. `contents.json` has the rows and the ids of each file, for
programs.

## Where the form comes from

The columns are those of real files, as public loaders and tests of such files name them, and as their makers document
the fields:

- Apollo: the columns of an export of contacts with the default fields; phones begin with an apostrophe.
- HubSpot: the columns of the default views of tasks and contacts; words of type, status and priority are the internal
  values of [the tasks API](https://developers.hubspot.com/docs/api/crm/tasks).
- Salesforce: field names of the Contact object in upper case, as Data Loader writes the fields of a query; names of
  custom fields end in `__C`; ids have 18 characters, the last three of them a check of the others' case.
"""


# File -> the columns of Apollo's contact id and of the owner.
COLUMNS = {
    "apollo_contacts.csv": ("Apollo Contact Id", "Contact Owner"),
    "hubspot_tasks.csv": ("Apollo Contact ID", "Assigned to"),
    "hubspot_contacts.csv": ("Apollo ID", "Contact owner"),
    "salesforce_contacts_apollo_id.csv": ("APOLLO_CONTACT_ID__C", "OWNER.EMAIL"),
    "salesforce_contacts.csv": (None, "OWNER.EMAIL"),
}


def contents(files):
    """What is in each export: rows, and those with an Apollo id and an owner."""
    found = {}
    for name, (contact, owner) in COLUMNS.items():
        rows = list(csv.DictReader(io.StringIO(files[name].decode("utf-8-sig"), newline="")))
        found[name] = {
            "rows": len(rows),
            "with_contact_id": sum(1 for row in rows if row.get(contact, "").strip()),
            "with_owner": sum(1 for row in rows if row[owner].strip()),
        }
    return found


def everything():
    """All files of this folder that are generated: name -> bytes."""
    everybody = people()
    files = {
        "apollo_contacts.csv": apollo_contacts(everybody),
        "hubspot_tasks.csv": hubspot_tasks(everybody),
        "hubspot_contacts.csv": hubspot_contacts(everybody),
        "salesforce_contacts_apollo_id.csv": salesforce_contacts(everybody, True),
        "salesforce_contacts.csv": salesforce_contacts(everybody, False),
    }
    files["contents.json"] = (json.dumps(contents(files), indent=2, sort_keys=True) + "\n").encode()
    files["README.md"] = README.encode()
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
