#!/usr/bin/python3
"""docs/openapi.yaml against the running service: the same routes, and every answer as its schema says.

Needs Debian's python3-jsonschema and python3-yaml, which only Debian's Python finds."""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import jsonschema
import yaml

from service_tests import TOKEN, check, failed, items, raw, read, sandbox, service, until, write_input

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Set by the server for the transfer itself.
TRANSFER = {"date", "content-type", "content-length", "transfer-encoding", "connection"}

# Documented answers that this test does not bring about: they need a full disk, a bug, an outage of the ledger, or a
# client that is slow for half a minute (tests/unit/service/http has that one).
NOT_MET = {("submitImport", "408"), ("submitImport", "500"), ("submitImport", "503"), ("submitImport", "507"),
           ("listImports", "503"), ("getImport", "503"), ("retryImport", "500"), ("retryImport", "503"),
           ("getOverview", "503"), ("getTicket", "408"), ("setImportSettings", "408"),
           *((operation, "503") for operation in ("getImportPlan", "setImportSettings", "startImport", "discardImport")),
           ("setImportSettings", "507"), ("startImport", "507"),
           ("getContacts", "503"), ("refreshContacts", "503"), ("listJobs", "503"), ("getJob", "503"), ("getResults", "503"), ("getRejects", "503"),
           ("listRows", "503"), ("listAttempts", "503"), ("getInput", "503"), ("findRows", "503"), ("getHistory", "503"), ("getImportRejects", "503"),
           *((operation, status) for status in ("500", "503", "507") for operation in
             ("pauseJob", "resumeJob", "retryJob", "retryUnknown", "verifyJob", "cancelJob"))}


# ------------------------------------------------------------------------------------------------- the description

class description:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.root = yaml.safe_load(f)
        self.resolver = jsonschema.RefResolver.from_schema(self.root)
        self.used = set()
        # By pattern and method: the operation with the path's own parameters among its parameters.
        self.operations = {}
        for pattern, path_item in self.root["paths"].items():
            for method in METHODS:
                if method in path_item:
                    operation = dict(path_item[method])
                    parameters = path_item.get("parameters", []) + operation.get("parameters", [])
                    operation["parameters"] = [self.follow(p) for p in parameters]
                    self.operations[pattern, method.upper()] = operation

    def follow(self, node):
        """What a $ref means; anything else is itself."""
        while isinstance(node, dict) and "$ref" in node and set(node) <= {"$ref", "description", "summary"}:
            check(node["$ref"].startswith("#/"), f"{node['$ref']} leads out of the description")
            self.used.add(node["$ref"])
            try:
                node = self.resolver.resolve(node["$ref"])[1]
            except jsonschema.RefResolutionError as e:
                raise failed(f"{node['$ref']} leads nowhere") from e
        return node

    def validate(self, schema, value, what):
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        errors = [f"{'/'.join(map(str, e.absolute_path)) or 'it'}: {e.message}" for e in validator.iter_errors(value)]
        check(not errors, f"{what} is not as described: {'; '.join(errors)[:1500]}")

    def accepts(self, schema, value):
        return jsonschema.Draft202012Validator(schema, resolver=self.resolver).is_valid(value)

    def operation_of(self, method, path):
        """The pattern and operation of a request, words before names."""
        asked = path.split("?", 1)[0].split("/")
        fits = []
        for pattern, known in self.operations:
            parts = pattern.split("/")
            if known == method and len(parts) == len(asked) and all(p == a or p[:1] == "{" for p, a in zip(parts, asked)):
                fits.append(pattern)
        best = min(fits, key=lambda p: p.count("{"), default=None)
        return best, self.operations.get((best, method))


ALLOWED = {
    "root": {"openapi", "info", "servers", "security", "tags", "paths", "components"},
    "path": {"parameters", *METHODS},
    "operation": {"operationId", "tags", "summary", "description", "parameters", "requestBody", "responses", "security"},
    "parameter": {"name", "in", "required", "description", "schema", "example"},
    "body": {"required", "content", "description"},
    "media": {"schema", "example"},
    "response": {"description", "headers", "content"},
    "header": {"description", "required", "schema", "example"},
}


def check_keys(kind, node, where):
    unknown = {k for k in node if not k.startswith("x-")} - ALLOWED[kind]
    check(not unknown, f"{where} has {sorted(unknown)}, which no {kind} has")


def check_closed(d, schema, where, all_keys, seen):
    """Every object has its keys listed and described, no others, and (in answers) all of them always."""
    if not isinstance(schema, dict) or id(schema) in seen:
        return
    seen.add(id(schema))
    if "$ref" in schema:
        d.used.add(schema["$ref"])
        check_closed(d, d.resolver.resolve(schema["$ref"])[1], schema["$ref"], all_keys, seen)
    parts = [d.follow(s) for s in schema.get("allOf", [])]
    parts_seen = [p for p in parts if p.get("additionalProperties") is False]
    properties = {k: v for s in [*parts, schema] for k, v in s.get("properties", {}).items()}
    if properties:
        closed = schema.get("additionalProperties", schema.get("unevaluatedProperties")) is False
        check(closed or parts_seen, f"{where} lets undocumented keys pass")
        required = {k for s in [*parts, schema] for k in s.get("required", [])}
        check(required <= set(properties), f"{where} wants keys that it does not have")
        check(not all_keys or required == set(properties), f"{where}: {set(properties) - required} may be absent")
        for key, value in properties.items():
            described = value.get("description") or d.follow(value).get("description") or "const" in value or "enum" in value
            check(described, f"{where}/{key} is not described")
            check_closed(d, value, f"{where}/{key}", all_keys, seen)
    for nested in [schema.get("items"), *schema.get("anyOf", [])]:
        if nested:
            check_closed(d, nested, where, all_keys, seen)


def check_content(d, content, where, all_keys):
    for media_type, media in content.items():
        check_keys("media", media, where)
        check("schema" in media, f"{where} has no schema for {media_type}")
        jsonschema.Draft202012Validator.check_schema(media["schema"])
        check_closed(d, media["schema"], where, all_keys, set())
        for nested in [media.get("x-line"), *media.get("x-events", {}).values()]:
            if nested:
                check_closed(d, nested, where, all_keys, set())
        if "example" in media:
            check_body(d, media_type, media, media["example"], f"the example of {where}")


def check_response(d, response, where):
    response = d.follow(response)
    check_keys("response", response, where)
    check(response.get("description"), f"{where} is not described")
    for name, header in response.get("headers", {}).items():
        header = d.follow(header)
        check_keys("header", header, f"{where}/{name}")
        if "example" in header:
            d.validate(header["schema"], header["example"], f"the example of {name}")
    check_content(d, response.get("content", {}), where, all_keys=True)


def check_structure(d, version):
    root = d.root
    check(root["openapi"] == "3.1.0", "OpenAPI 3.1")
    check_keys("root", root, "the description")
    check(root["info"]["version"] == version, f"it describes {root['info']['version']}, the program is {version}")
    schemes = root["components"]["securitySchemes"]
    tags = {t["name"] for t in root["tags"]}
    for schema in root["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
        check(schema.get("description"), f"{str(schema)[:60]} is not described")
    ids = set()
    for pattern, path_item in root["paths"].items():
        check_keys("path", path_item, pattern)
    for (pattern, method), operation in d.operations.items():
        where = f"{method} {pattern}"
        check_keys("operation", operation, where)
        check(operation.get("summary") and operation.get("operationId"), f"{where} has no summary or operationId")
        check(operation["operationId"] not in ids, f"two operations {operation['operationId']}")
        ids.add(operation["operationId"])
        check(set(operation["tags"]) <= tags, f"{where}: unknown tags")
        for need in operation.get("security", root["security"]):
            check(set(need) <= set(schemes), f"{where}: unknown security scheme")
        named = set()
        for p in operation["parameters"]:
            check_keys("parameter", p, where)
            check(p.get("description") and p["in"] in ("path", "query", "header"), f"{where}: parameter {p.get('name')}")
            check((p["in"] == "path") == p.get("required", False), f"{where}: {p['name']} is required as paths are")
            jsonschema.Draft202012Validator.check_schema(p["schema"])
            if "example" in p:
                d.validate(p["schema"], p["example"], f"the example of {p['name']}")
            if p["in"] == "path":
                named.add(p["name"])
        check(named == set(re.findall(r"{(\w+)}", pattern)), f"{where}: its path parameters are {sorted(named)}")
        if "requestBody" in operation:
            check_keys("body", operation["requestBody"], where)
            check_content(d, operation["requestBody"]["content"], f"{where} body", all_keys=False)
        check("default" in operation["responses"], f"{where} says nothing of refusals")
        for status, response in operation["responses"].items():
            check(re.fullmatch(r"[1-5]\d\d|default", status), f"{where}: status {status}")
            check_response(d, response, f"{where} {status}")
    components = {f"#/components/{kind}/{name}" for kind, all_of_kind in root["components"].items()
                  if kind != "securitySchemes" for name in all_of_kind}
    check(components <= d.used, f"nothing uses {sorted(components - d.used)}")


# ------------------------------------------------------------------------------------------------------ real answers

def no_twins(pairs):
    keys = [k for k, _ in pairs]
    check(len(keys) == len(set(keys)), f"a JSON object has a key twice: {keys}")
    return dict(pairs)


def parse_json(text, what):
    try:
        return json.loads(text, object_pairs_hook=no_twins)
    except json.JSONDecodeError as e:
        raise failed(f"{what} is no JSON: {text[:200]}") from e


def check_events(d, media, text, what):
    """Server-sent events; gives their types."""
    types = []
    for block in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        check(set(fields) <= {"retry", "id", "event", "data"}, f"{what}: {block}")
        if "data" not in fields:
            continue
        check(fields["event"] in media["x-events"], f"{what}: an event {fields['event']}")
        check(("id" in fields) == (fields["event"] != "lost"), f"{what}: {block}")
        d.validate(media["x-events"][fields["event"]], parse_json(fields["data"], what), f"{what}: {block}")
        types.append(fields["event"])
    return types


def check_body(d, media_type, media, body, what):
    if media_type.endswith("json") and not media_type.endswith("ndjson"):
        if not isinstance(body, str):
            return d.validate(media["schema"], body, what)
        return d.validate(media["schema"], parse_json(body, what), what)
    d.validate(media["schema"], body, what)
    if media_type == "application/x-ndjson":
        for line in body.splitlines():
            d.validate(media["x-line"], parse_json(line, what), what)
    elif "x-line" in media:
        columns = list(d.follow(media["x-line"])["properties"])
        check(body.split("\n", 1)[0].split(",") == columns, f"{what}: the columns are not the keys of a line")
    elif "x-events" in media:
        check_events(d, media, body, what)
    return None


class client:
    """Asks the service, and holds every answer against the description."""

    def __init__(self, d, s, token=TOKEN):
        self.d, self.s, self.token = d, s, token
        self.met = set()

    def check(self, method, path, status, headers, body):
        what = f"{method} {path}: {status}"
        pattern, operation = self.d.operation_of("GET" if method == "HEAD" else method, path)
        if operation is None:  # no route: refused in the way that all of them share
            response, name = self.d.follow({"$ref": "#/components/responses/Refused"}), None
        else:
            name = str(status) if str(status) in operation["responses"] else "default"
            response = self.d.follow(operation["responses"][name])
            self.met.add((operation["operationId"], name))
        headers = {k.lower(): v for k, v in headers.items()}
        always = self.d.root["x-headers-of-every-answer"]
        described = {k.lower(): self.d.follow(h) for k, h in response.get("headers", {}).items()}
        always = {k: v for k, v in always.items() if k.lower() not in described}
        for key, value in always.items():
            check(headers.get(key.lower()) == value, f"{what}: {key} is {headers.get(key.lower())}")
        for key in set(headers) - TRANSFER - {k.lower() for k in always}:
            check(key in described, f"{what} has an undocumented header {key}")
            self.d.validate(described[key]["schema"], headers[key], f"{what}: {key}")
        for key, header in described.items():
            check(key in headers or not header.get("required"), f"{what} has no {key}")
        media = response["content"].get(headers.get("content-type"))
        check(media is not None, f"{what} has the undocumented content type {headers.get('content-type')}")
        if method == "HEAD":
            check(body == "", f"{what} has a body")
        else:
            check_body(self.d, headers["content-type"], media, body, what)
            if status >= 400 and headers["content-type"] == "application/problem+json":
                check(json.loads(body)["status"] == status, f"{what} says {body}")

    def ask(self, expect, method, path, body=None, headers=None, token=None):
        token = self.token if token is None else token
        sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        status, got, text = self.s.ask(method, path, body=body, headers=sent)
        check(status == expect, f"{method} {path} said {status} instead of {expect}: {text[:500]}")
        self.check(method, path, status, got, text)
        return text if not text or got.get("Content-Type") != "application/json" else json.loads(text), got

    def get(self, path):
        return self.ask(200, "GET", path)[0]

    def send_raw(self, expect, data):
        """A request that no HTTP library makes."""
        out = raw(self.s.address, data, 5)
        head, _, body = out.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        status = int(lines[0].split()[1])
        check(status == expect, f"{data[:60]} gave {status} instead of {expect}: {body[:200]}")
        # Such an answer belongs to no route; those of /healthz stand for all.
        self.check("GET", "/healthz", status, dict(line.split(": ", 1) for line in lines[1:]), body.decode())


# ------------------------------------------------------------------------------------------------------------ routes

def path_of(pattern, job="1", number="1"):
    """A path that the pattern fits."""
    return (pattern.replace("{job}", job).replace("{import}", f"a.csv.20261125T200406Z.{number}")
            .replace("{name}", "codes.md"))


def routes_of_source():
    """Method and pattern of each route, as the service's source adds them."""
    api = read(os.path.join(ROOT, "src/service/api/control_api.cpp"))
    found = set(re.findall(r'\badd\("([A-Z]+)",\s*"(/[^"]*)"', api))
    check(len(re.findall(r"\badd\(\"", api)) == len(found) + 1, "a route is added in a way that this test cannot read")
    commands = read(os.path.join(ROOT, "src/service/work/scheduler.cpp")).split("command_words{", 1)[1].split("};", 1)[0]
    words = re.findall(r'"([a-z-]+)"', commands)
    check(len(words) >= 6, "the commands' words")
    return found | {("POST", f"/v1/jobs/{{job}}/{word}") for word in words}


def check_routes(d, c):
    there, described = routes_of_source(), {(m, p) for p, m in d.operations}
    check(there == described, f"not described: {sorted(there - described)}; not there: {sorted(described - there)}")
    for pattern in d.root["paths"]:
        methods = {m for p, m in d.operations if p == pattern}
        path = path_of(pattern)
        allow = ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))
        for method in {"PUT", "DELETE", "PATCH", "GET", "POST"} - methods:
            _, headers = c.ask(405, method, path)
            check(headers["Allow"] == allow, f"{method} {path} allows {headers['Allow']} instead of {allow}")
        status, headers, body = c.s.ask("OPTIONS", path, headers={"Authorization": f"Bearer {TOKEN}"})
        check((status, headers["Allow"], body) == (204, allow, ""), f"OPTIONS {path}: {status} {headers} {body}")
        c.ask(404, "GET", path.rstrip("/") + "/x/y/z")
    for path in ("/v1", "/v2/jobs", "/v1/job", "/V1/jobs", "/v1/jobs/1/explode", "/openapi.json", "/assets"):
        c.ask(404, "GET", path)
        c.ask(404, "POST", path)


def check_parameter_names(d, c):
    """Each route takes the parameters that are described, by the source, and no other."""
    api = read(os.path.join(ROOT, "src/service/api/control_api.cpp"))
    real = {(m, p): set(re.findall(r'"([a-z_]+)"', known))
            for m, p, known in re.findall(r'\badd\("([A-Z]+)", "(/v1[^"]*)", [^;]*known\{([^}]*)\}', api)}
    for (pattern, method), operation in d.operations.items():
        if not pattern.startswith("/v1"):
            continue
        described = {q["name"] for q in operation["parameters"] if q["in"] == "query"}
        check(real.get((method, pattern), set()) == described, f"{method} {pattern} takes {real.get((method, pattern))}")
        path = path_of(pattern)
        body = c.ask(400, method, path + "?formta=csv")[0]
        nearest = "the nearest is" if described else "takes no parameters"
        check("formta" in body and nearest in body, f"{method} {pattern}: {body}")


def check_tokens(d, c):
    for (pattern, method), operation in d.operations.items():
        path = path_of(pattern, "999", "999")
        if operation.get("security") == []:
            c.ask(200, method, path, token="")
            c.ask(200, "HEAD", path, token="")
        else:
            _, headers = c.ask(401, method, path, token="")
            check("error=" not in headers["WWW-Authenticate"], "no token")
            _, headers = c.ask(401, method, path, token=TOKEN + "x")
            check("error=" in headers["WWW-Authenticate"], "a wrong token")
        c.ask(421, method, path, headers={"Host": "elsewhere.example"})
        c.ask(403, method, path, headers={"Origin": "https://elsewhere.example"})
        c.ask(400, method, path + "?x=%00")


def check_parameters(d, c):
    """What is described is taken, and what is not is refused."""
    wrong = {"place": ("gone", ""), "limit": ("0", "1001", "-1", "x", ""), "state": ("planning", "x"), "before": ("x", "-1"),
             "format": ("xml", ""), "sheet": ("0", "-1", "x", ""), "only": ("gone", "failed,gone"), "job": ("0", "x"),
             "after": ("-1", "x", ""), "contact": ("", "x" * 501), "q": ("", "x" * 501), "from": ("x", ""), "to": ("yesterday", ""),
             "step": ("0", "x", "-1", ""), "code": (), "ticket": ()}
    right = {"limit": ("1", "1000"), "sheet": ("1",), "before": ("0", "7"), "only": ("failed", "created,unknown", ""),
             "after": ("0", "5"), "code": ("bad_id", ""), "contact": ("66e9e215ece19801b219997f", "email:ada@example.com", "x"),
             "q": ("ada@example.com", "003000000000001"), "step": ("3600",), "job": ("1",)}
    for (pattern, method), operation in d.operations.items():
        for p in operation["parameters"] if method == "GET" and pattern != "/v1/events" else ():
            if p["in"] != "query":
                continue
            asked = "q=x&" if pattern == "/v1/rows" and p["name"] != "q" else ""  # what must be given
            path = pattern.replace("{job}", "1") + "?" + asked + p["name"] + "="
            for value in right.get(p["name"], p["schema"].get("enum", ())):
                check(d.accepts(p["schema"], int(value) if p["schema"].get("type") == "integer" else value), path + value)
                c.get(path + value)
            for value in wrong[p["name"]]:
                number = re.fullmatch(r"-?\d+", value) and p["schema"].get("type") == "integer"
                check(not d.accepts(p["schema"], int(value) if number else value), f"{path}{value} would be as described")
                c.ask(400, "GET", path + value)
    for value in ("0", "x"):
        c.ask(400, "GET", "/v1/events?job=" + value)
    for value in ("x", "-1"):
        c.ask(400, "POST", f"/v1/imports?name=a.csv&first={value}", "a\n")
    c.ask(400, "POST", "/v1/imports?name=a.csv&again=perhaps", "a\n")
    c.ask(400, "POST", "/v1/imports?name=a.csv&hold=perhaps", "a\n")
    for name in ("", "..%2Fa.csv", ".a.csv", "x" * 201):
        c.ask(400, "POST", f"/v1/imports?name={name}", "a\n")


def check_path_bodies(d, c, folder):
    schema = d.root["components"]["schemas"]["PathSubmission"]
    media = {"Content-Type": "application/json"}
    for body in ({}, {"path": 1}, {"path": ""}, {"path": "/a.csv", "first": "1"}, {"path": "/a.csv", "first": -1},
                 {"path": "/a.csv", "again": 1}, {"path": "/a.csv", "hold": 1}, {"path": "/a.csv", "other": 1}, [], {"path": "/a.csv", "name": 1}):
        check(not d.accepts(schema, body), f"{body} would be as described")
        c.ask(400, "POST", "/v1/imports", json.dumps(body), media)
    c.ask(400, "POST", "/v1/imports", "{", media)
    c.ask(413, "POST", "/v1/imports", json.dumps({"path": "x" * 70_000}), media)
    body = {"path": "/etc/passwd"}
    check(d.accepts(schema, body), "a path elsewhere")
    c.ask(403, "POST", "/v1/imports", json.dumps(body), media)
    body = {"path": os.path.join(folder, "crm", "half.csv"), "name": "by path.csv", "first": 5, "again": False}
    check(d.accepts(schema, body), "a path")
    return c.ask(202, "POST", "/v1/imports", json.dumps(body), {"Content-Type": "application/json; charset=utf-8"})


# --------------------------------------------------------------------------------------------------------- the whole

def stream_of_events(c, path, last, wanted):
    """Reads events until all wanted types were there."""
    connection = c.s.connection()
    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}", "Last-Event-ID": last})
    answer = connection.getresponse()
    text = ""
    end = time.monotonic() + 30
    while not all(f"event: {kind}\n" in text for kind in wanted) or not text.endswith("\n\n"):
        check(time.monotonic() < end, f"no {wanted} among the events: {text[-2000:]}")
        text += answer.readline().decode()
    c.check("GET", path, answer.status, dict(answer.getheaders()), text)
    connection.close()
    return text


def check_work(d, c, folder, latency_job_rows):
    """An import through its life, with rejects, results, events and every command."""
    bad = os.path.join(folder, "rejects.csv")
    write_input(bad, 7, groups=1, rows=30)
    with open(bad, "a", encoding="utf-8") as f:
        f.write("not-an-id,66302798d03b9601c7934ebf,call,scheduled,2027-02-10T10:00:00Z,\n")
        f.write(read(bad).splitlines()[1] + "\n")
    accepted, headers = c.ask(202, "POST", "/v1/imports?name=first.csv", read(bad), {"Content-Type": "text/csv"})
    check(headers["Location"] == "/v1/imports/" + accepted["import"], "Location")
    until("the first import is done", lambda: c.get(headers["Location"])["state"] == "done")
    job = c.get(headers["Location"])["job"]
    one = c.get(f"/v1/jobs/{job}")
    check(one["rejected"] == 1 and one["duplicate"] == 1 and len(one["reasons"]) == 1, f"job: {one}")
    check(one["windows"], "windows")
    for path in (f"/v1/jobs/{job}", f"/v1/jobs/{job}/results", f"/v1/jobs/{job}/rejects", "/v1/jobs", "/v1/imports", "/metrics",
                 headers["Location"]):
        c.ask(200, "HEAD", path)
    check(len(c.get(f"/v1/jobs/{job}/results?format=jsonl").splitlines()) == 32, "results as JSONL")
    check(len(c.get(f"/v1/jobs/{job}/results").splitlines()) == 33, "results as CSV")
    check("not-an-id" in c.get(f"/v1/jobs/{job}/rejects"), "rejects")
    check(c.get(headers["Location"] + "/rejects") == c.get(f"/v1/jobs/{job}/rejects"), "rejects of the import")

    check_rows(c, job)

    # A job that takes a while: seen under way, commanded, held against another service.
    slow = os.path.join(folder, "slow.csv")
    write_input(slow, 8, groups=3, rows=latency_job_rows)
    accepted, headers = c.ask(202, "POST", "/v1/imports?name=slow.csv", read(slow))
    job = until("the second import has its job", lambda: c.get(headers["Location"])["job"])
    c.ask(409, "GET", headers["Location"] + "/rejects")
    running = until("its run is seen", lambda: (v := c.get(f"/v1/jobs/{job}"))["progress"] and v["created"] > 0 and v)
    check(running["running"] and running["imports"] == [accepted["import"]], f"a running job: {running}")
    return job, headers["Location"]


def check_rows(c, job):
    """Pages of rows, a contact, a task, attempts, history, and how the input was understood."""
    lines = [json.loads(line) for line in c.get(f"/v1/jobs/{job}/results?format=jsonl").splitlines()]
    rows, after = [], 0
    while after is not None:
        page = c.get(f"/v1/jobs/{job}/rows?limit=7&after={after}")
        rows, after = rows + page["rows"], page["next_after"]
    check([r["row"] for r in rows] == list(range(1, 33)), "each row once, in order")
    same = ("row", "file", "line", "contact_id", "state", "task_id", "code", "finished_at")
    check([[r[k] for k in same] for r in rows] == [[r[k] for k in same] for r in lines], "rows are as in results")
    bad = c.get(f"/v1/jobs/{job}/rows?state=rejected,duplicate")["rows"]
    check({r["state"] for r in bad} == {"rejected", "duplicate"} and len(bad) == 2, f"by state: {bad}")
    twin = next(r for r in bad if r["state"] == "duplicate")
    check(twin["duplicate_of"] == {"job": job, "row": 1}, f"of the first row: {twin}")
    code = next(r["code"] for r in bad if r["state"] == "rejected")
    check(len(c.get(f"/v1/jobs/{job}/rows?code={code}")["rows"]) == 1, "by code")
    first = rows[0]
    of_first = c.get(f"/v1/jobs/{job}/rows?contact={first['contact_id']}")["rows"]
    check([r["row"] for r in of_first] == [1, twin["row"]], f"a contact's rows: {of_first}")
    found = c.get(f"/v1/rows?q={first['contact_id'].upper()}")
    check(found["kind"] == "contact_id" and [(r["job"], r["row"]) for r in found["rows"]] == [(job, 1), (job, twin["row"])] and
          not found["more"], f"over all jobs: {found}")
    check(c.get(f"/v1/rows?q={first['contact_id']}&limit=1")["more"], "cut to one")
    found = c.get(f"/v1/rows?q={first['task_id']}")
    check(found["kind"] == "task_id" and [r["row"] for r in found["rows"]] == [1], f"by task: {found}")
    check(c.get("/v1/rows?q=nobody@example.com")["kind"] == "email", "an e-mail")
    check(c.get("/v1/rows?q=perhaps")["kind"] == "unknown", "no known kind")
    attempts, before = [], 0
    while before is not None:
        page = c.get(f"/v1/jobs/{job}/attempts?limit=2&before={before}")
        attempts, before = attempts + page["attempts"], page["next_before"]
    numbers = [a["attempt"] for a in attempts]
    check(numbers == sorted(numbers, reverse=True) and sum(a["rows"] for a in attempts if a["result"] == "succeeded") == 30,
          f"attempts: {attempts}")
    points = c.get(f"/v1/history?job={job}")["points"]
    check(sum(p["created"] for p in points) == 30 and sum(p["requests"] for p in points) == len(attempts), "history")
    c.ask(400, "GET", "/v1/history?step=1")
    c.ask(400, "GET", "/v1/history?from=2026-11-25T20:00:00Z&to=2026-11-25T20:00:00Z")
    c.ask(400, "GET", "/v1/rows")
    known = c.get(f"/v1/jobs/{job}/input")
    fields = {f["field"]: f["column"] for f in known["files"][0]["fields"]}
    check(known["files"][0]["name"] == "first.csv" and fields["contact_id"] in known["files"][0]["columns"], f"input: {known}")
    check(any(s["name"] == "import.chunk_size" for s in known["settings"]), f"settings: {known['settings']}")


def check_commands(c, other, job):
    words = ("pause", "resume", "retry", "retry-unknown", "verify", "cancel")
    for word in words:
        other.ask(409, "POST", f"/v1/jobs/{job}/{word}")
    paused = c.ask(200, "POST", f"/v1/jobs/{job}/pause")[0]
    check(paused["paused"] and paused["stop_code"] == "paused", f"paused: {paused}")
    c.ask(200, "POST", f"/v1/jobs/{job}/resume")
    c.ask(200, "POST", f"/v1/jobs/{job}/cancel")
    for word in ("retry", "verify", "retry-unknown", "resume", "pause", "cancel"):
        c.ask(200, "POST", f"/v1/jobs/{job}/{word}")
    for word in words:
        for unknown in ("99", "0", "x", "99999999999999999999"):
            c.ask(404, "POST", f"/v1/jobs/{unknown}/{word}")
    c.ask(404, "GET", "/v1/history?job=99")
    for path in ("", "/results", "/rejects", "/rows", "/attempts", "/input"):
        c.ask(404, "GET", "/v1/jobs/99" + path)
        c.ask(404, "GET", "/v1/jobs/x" + path)


def check_contacts(c):
    c.ask(400, "POST", "/v1/contacts/refresh?all=perhaps")
    c.ask(202, "POST", "/v1/contacts/refresh?all=true")
    c.ask(409, "POST", "/v1/contacts/refresh")
    waits = until("it waits", lambda: (v := c.get("/v1/contacts"))["refresh"]["state"] == "waiting" and v)
    check(waits["contacts"]["known"] == 200 and waits["contacts"]["requests_left"] == 7, f"two pages of nine: {waits}")
    check(waits["windows"], "its window")
    c.ask(200, "HEAD", "/v1/contacts")


def check_page(c):
    """The page's own files, and what only it asks for."""
    c.get("/")
    for name in ("index.html", "codes.md", "openapi.yaml"):
        c.get("/assets/" + name)
    c.ask(404, "GET", "/assets/none.js")
    overview = c.get("/v1/overview")
    check(overview["windows"] and overview["unfinished"] and overview["role"] == "write", f"an overview: {overview}")
    for body in ("{", "{}", json.dumps({"path": "/metrics"}), json.dumps({"path": 1})):
        c.ask(400, "POST", "/v1/tickets", body)
    c.ask(413, "POST", "/v1/tickets", json.dumps({"path": "/v1/" + "x" * 5000}))
    ticket = c.ask(201, "POST", "/v1/tickets", json.dumps({"path": "/v1/jobs/1/results"}))[0]["ticket"]
    c.ask(200, "GET", f"/v1/jobs/1/results?ticket={ticket}", token="")
    c.ask(401, "GET", f"/v1/jobs/1/results?ticket={ticket}", token="")


def check_held_import(c):
    """One that waits for a person's word, and what is done with it."""
    body = "Contact,user_id,type,status,due_at\n" + f"{1:024x},66302798d03b9601c7934ebf,call,scheduled,2031-02-15T10:00:00Z\n"
    accepted, headers = c.ask(202, "POST", "/v1/imports?name=held.csv&hold=true", body)
    where = headers["Location"]
    until("it is planned", lambda: c.get(where)["state"] == "planned")
    check(c.get(where + "/plan")["error"], "a column is missing")
    c.ask(400, "PUT", where + "/settings", "[columns]\nnothing = \"x\"\n")
    c.ask(413, "PUT", where + "/settings", "#" * 70_000)
    c.ask(202, "PUT", where + "/settings", "[columns]\ncontact_id = \"Contact\"\n")
    until("it is planned again", lambda: c.get(where)["state"] == "planned")
    check(c.get(where + "/plan")["plan"]["rows"] == 1, "its plan")
    c.ask(409, "POST", where + "/start?plan=" + "0" * 32)
    c.ask(202, "POST", where + "/start?plan=" + c.get(where + "/plan")["plan_id"])
    for method, path in (("GET", "/plan"), ("PUT", "/settings"), ("POST", "/start"), ("DELETE", "")):
        c.ask(409, method, where + path, "" if method == "PUT" else None)
        c.ask(404, method, "/v1/imports/a.csv.20261125T200406Z.1" + path, "" if method == "PUT" else None)
        c.ask(400, method, "/v1/imports/nothing" + path, "" if method == "PUT" else None)
    _, headers = c.ask(202, "POST", "/v1/imports?name=other.csv&hold=true", body)
    until("it is planned", lambda: c.get(headers["Location"])["state"] == "planned")
    c.ask(200, "DELETE", headers["Location"])


def check_failed_import(c):
    accepted, headers = c.ask(202, "POST", "/v1/imports?name=no%20contacts.csv", "name\nKim\n")
    until("it has failed", lambda: c.get(headers["Location"])["state"] == "failed")
    check(c.get("/v1/imports?place=failed")["imports"][0]["error"], "why it failed")
    c.ask(404, "GET", headers["Location"] + "/rejects")
    c.ask(202, "POST", f"/v1/imports/{accepted['import']}/retry")
    done = c.get("/v1/imports?place=done")["imports"][0]["import"]
    c.ask(409, "POST", f"/v1/imports/{done}/retry")
    for there in ("", "/retry"):
        method = "POST" if there else "GET"
        c.ask(404, method, "/v1/imports/a.csv.20261125T200406Z.1" + there)
        c.ask(400, method, "/v1/imports/nothing" + there)


def check_refusals(c):
    c.ask(413, "POST", "/v1/imports?name=large.csv", "x" * 100_000)
    head = f"GET /healthz HTTP/1.1\r\nHost: {c.s.address}\r\n".encode()
    for status, data in ((400, b"nonsense\r\n\r\n"), (400, b"GET /healthz HTTP/1.1\r\n\r\n"),
                         (400, head + b"Content-Length: x\r\n\r\n"), (414, b"GET /" + b"a" * 20_000),
                         (431, head + b"X: " + b"y" * 20_000), (417, head + b"Expect: cake\r\n\r\n"),
                         (501, head + b"Transfer-Encoding: gzip\r\n\r\n"), (501, b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"),
                         (505, f"GET /healthz HTTP/3.0\r\nHost: {c.s.address}\r\n\r\n".encode())):
        c.send_raw(status, data)


def check_too_many_streams(c):
    open_streams = []
    try:
        # 64 are taken. Those that this test has left may still be among them: that is noticed when something is sent.
        while len(open_streams) < 64:
            connection = c.s.connection()
            open_streams.append(connection)
            connection.request("GET", "/v1/events", headers={"Authorization": f"Bearer {TOKEN}"})
            if connection.getresponse().status != 200:
                break
        check(len(open_streams) > 60, f"only {len(open_streams)} event streams")
        _, headers = c.ask(503, "GET", "/v1/events")
        check(headers["Retry-After"] == "60", "Retry-After")
    finally:
        for connection in open_streams:
            connection.close()


def check_not_ready(d, program, folder, apollo):
    """With a wrong key."""
    s = service(program, folder, apollo, inbox="inbox-3", ledger="third.db")
    s.environment["APOLLO_API_KEY"] = "not-the-key-of-the-sandbox"
    s.start()
    try:
        c = client(d, s, token="")
        s.drop(os.path.join(folder, "crm", "half.csv"), "a.csv")
        until("the wrong key is noticed", lambda: s.ask("GET", "/readyz")[0] == 503)
        check("401" in c.ask(503, "GET", "/readyz")[0]["reason"], "why it is not ready")
        check(c.get("/v1/jobs")["jobs"][0]["state"] == "failed", "a job that needs a person")
        c.get("/v1/jobs/1")
        return c.met
    finally:
        s.kill()


def check_all(d, program, folder):
    # The search for contacts has fewer requests a minute than their list has pages: a refresh waits.
    apollo = sandbox(program, folder, ["--latency", "80ms", "--contacts", "900", "--contacts-search-limits", "2,0,0"])
    os.makedirs(os.path.join(folder, "crm"))
    write_input(os.path.join(folder, "crm", "half.csv"), 9, groups=1, rows=20)
    limits = ["--set", f"serve.allowed_paths={os.path.join(folder, 'crm')}", "--set", "serve.upload_limit=90kB", "--set",
              "send.connections=2"]
    s = service(program, folder, apollo, limits, {"TASKBARGE_TOKEN": TOKEN}).start()
    beside = service(program, folder, apollo, inbox="inbox-2")
    try:
        beside.start()
        c, other = client(d, s), client(d, beside, token="")
        check_routes(d, c)
        check_parameter_names(d, c)
        check_tokens(d, c)
        _, headers = check_path_bodies(d, c, folder)
        until("the path is done", lambda: c.get(headers["Location"])["state"] == "done")
        job, where = check_work(d, c, folder, latency_job_rows=250)
        check_page(c)
        check_commands(c, other, job)
        until("it is put away", lambda: c.get(where)["state"] == "done")
        check_parameters(d, c)
        check_failed_import(c)
        check_held_import(c)
        check_contacts(c)
        check_refusals(c)
        stream_of_events(c, "/v1/events", "0", ("import", "job", "progress"))
        only = stream_of_events(c, f"/v1/events?job={job}", "0", ("job", "progress"))
        check(set(re.findall(r'"job":(\d+|null)', only)) == {str(job)}, "events of one job")
        check_too_many_streams(c)
        check("taskbarge_ledger_jobs" in c.get("/metrics"), "metrics")
        routes = set(re.findall(r'taskbarge_http_requests_total{route="([^"]*)"', c.get("/metrics"))) - {"other"}
        check(routes == {f"{m} {p}" for p, m in d.operations}, f"routes that the service counts: {sorted(routes)}")
        met = c.met | other.met | check_not_ready(d, program, folder, apollo)
        # What is refused before a route is asked is the same for all: met once.
        documented = {(o["operationId"], status) for o in d.operations.values() for status in o["responses"]
                      if status != "default" or o["operationId"] == "getHealth"}
        check(documented - met == NOT_MET - met and not NOT_MET & met,
              f"documented, and not met: {sorted(documented - met - NOT_MET)}; met after all: {sorted(NOT_MET & met)}")
        return f"{len(d.operations)} routes, {len(met)} of {len(documented)} documented answers met"
    finally:
        for one in (s, beside):
            if one.process:
                one.kill()
        apollo.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    options = parser.parse_args()
    try:
        version = subprocess.run([options.program, "--version"], capture_output=True, text=True, timeout=20).stdout.split()[-1]
        d = description(os.path.join(ROOT, "docs", "openapi.yaml"))
        check_structure(d, version)
        with tempfile.TemporaryDirectory(prefix="taskbarge-openapi-") as folder:
            try:
                print(check_all(d, options.program, folder))
            except Exception:
                log = os.path.join(folder, "service.log")
                if os.path.exists(log):
                    print(read(log)[-3000:], file=sys.stderr)
                raise
    except failed as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
