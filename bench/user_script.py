#!/usr/bin/python3
"""The import as one writes it in an afternoon: read the CSV, group the rows, post a hundred contacts at a time.

usage: user_script.py FILE BASE_URL CA_FILE     (key in APOLLO_API_KEY)
       user_script.py FILE                      reads and groups only

No ledger, no retries, no checks: what it is compared with does more. Prints the number of requests.
"""
import csv
import http.client
import json
import os
import ssl
import sys
from urllib.parse import urlsplit

path = sys.argv[1]
FIELDS = ("user_id", "type", "priority", "status", "due_at", "note")

groups = {}
with open(path, newline="", encoding="utf-8") as source:
    for row in csv.DictReader(source):
        groups.setdefault(tuple(row[f] for f in FIELDS), []).append(row["contact_id"])

if len(sys.argv) == 2:
    sys.exit(print(sum((len(contacts) + 99) // 100 for contacts in groups.values())))

url, ca_file = urlsplit(sys.argv[2]), sys.argv[3]
connection = http.client.HTTPSConnection(url.hostname, url.port, context=ssl.create_default_context(cafile=ca_file))
headers = {"x-api-key": os.environ["APOLLO_API_KEY"], "Content-Type": "application/json"}
requests = created = 0
for details, contacts in groups.items():
    for i in range(0, len(contacts), 100):
        body = dict(zip(FIELDS, details), contact_ids=contacts[i : i + 100])
        connection.request("POST", url.path + "/tasks/bulk_create", json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200:
            sys.exit(f"status {response.status}: {answer}")
        requests += 1
        created += len(answer["tasks"])
print(requests, created)
