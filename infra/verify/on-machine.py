"""Does on the machine what ASKED says, in its order, and prints what came of it: `npm run verify` sends it by run command.

It judges nothing, and stands on nothing but what Ubuntu's image has. Tokens stay here. What it prints is JSON, packed,
since Azure shows the last 4 KB of it. A step is one of
- ask: METHOD, with url, headers, body, `token` (a resource for which the machine's identity gets a token); `times` one after
  the other, or `at_once`; `fresh`: each on a connection of its own; `until` a status, for `tries` with `pause` seconds between
- run: a line for the shell, for `seconds` at most
- tcp: HOST:PORT, for `seconds` at most
- sleep: seconds
`pick` keeps parts of an answer, `keep` gives one a name that later steps put in by {NAME}.
"""
import base64
import concurrent.futures
import http.client
import json
import os
import socket
import subprocess
import time
import urllib.parse
import zlib

ASKED = json.loads(os.environ["ASKED"])
kept = {}
tokens = {}
connections = {}


def connection(url, fresh):
    """Returns a connection, and whether it has carried an answer already. A fresh one is nobody else's."""
    make = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    if fresh:
        return make(url.netloc, timeout=10), False
    place = (url.scheme, url.netloc)
    used = place in connections
    if not used:
        connections[place] = make(url.netloc, timeout=10)
    return connections[place], used


def send(method, address, headers, body, fresh=False):
    url = urllib.parse.urlsplit(address)
    path = url.path + ("?" + url.query if url.query else "")
    line, used = connection(url, fresh)
    began = time.monotonic()
    try:
        line.request(method, path, body, headers)
        answer = line.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        if not fresh:
            connections.pop((url.scheme, url.netloc), None)
        # A server may close a connection that nobody has used for a while.
        return send(method, address, headers, body) if used else ({"status": 0, "error": type(error).__name__, "ms": 0}, {}, b"")
    return {"status": answer.status, "ms": round((time.monotonic() - began) * 1000)}, answer.headers, text


def token(resource):
    if resource not in tokens:
        query = urllib.parse.urlencode({"api-version": "2018-02-01", "resource": resource, "client_id": ASKED["client"]})
        told, _, text = send("GET", ASKED["imds"] + "/metadata/identity/oauth2/token?" + query, {"Metadata": "true"}, None)
        tokens[resource] = json.loads(text).get("access_token", "") if told["status"] == 200 else ""
    return tokens[resource]


def read(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def part(value, path):
    """`key.x`; `value.*NAME`: the entry of a list whose id has NAME in it; `value|0|8`: bytes of base64url, as hex; `~`: a dot."""
    path, *cut = path.split("|")
    for name in path.split("."):
        if name.startswith("*"):
            found = [one for one in value or [] if name[1:] in str(one.get("kid", "")).split("/")]
            value = found[0] if found else None
        else:
            value = value.get(name.replace("~", ".")) if isinstance(value, dict) else None
    if cut and isinstance(value, str):
        return base64.urlsafe_b64decode(value + "==")[int(cut[0]) : int(cut[1])].hex()
    return value


def put_in(value):
    if isinstance(value, str):
        for name, text in kept.items():
            value = value.replace("{" + name + "}", str(text))
        return value
    if isinstance(value, dict):
        return {name: put_in(inner) for name, inner in value.items()}
    return value


def ask_once(step, fresh=False):
    headers = dict(put_in(step.get("headers", {})))
    body = step.get("body")
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
        body = json.dumps(put_in(body))
    if "token" in step:
        headers["Authorization"] = "Bearer " + token(step["token"])
    told, got, text = send(step["ask"], put_in(step["url"]), headers, body, fresh)
    answer = read(text)
    error = (answer.get("error") or answer.get("odata.error") or {}) if isinstance(answer, dict) else {}
    if isinstance(error, dict) and told["status"] >= 400:
        told["code"] = str(error.get("code", ""))[:60]
        told["inner"] = str((error.get("innererror") or {}).get("code", ""))[:60]
        message = error.get("message", "")
        told["message"] = str(message.get("value", "") if isinstance(message, dict) else message)[:120]
    elif told["status"] >= 400 and isinstance(answer, dict):
        told["code"] = str(error)[:60]
        told["message"] = str(answer.get("error_description", ""))[:120]
    heads = {name: got.get(name) for name in step.get("heads", []) if got.get(name) is not None}
    if heads:
        told["heads"] = heads
    picks = {name: part(answer, put_in(path)) for name, path in step.get("pick", {}).items()}
    if picks:
        told["picked"] = picks
    for name, path in step.get("keep", {}).items():
        kept[name] = got.get(path[5:]) if path.startswith("head:") else part(answer, path)
        if path.endswith(".kid") and kept[name]:
            kept[name] = kept[name].split("/")[-1]
    told["at"] = time.time()
    return told


def ask(step):
    began = time.monotonic()
    if "at_once" in step:
        with concurrent.futures.ThreadPoolExecutor(step["at_once"]) as pool:
            all_told = list(pool.map(lambda _: ask_once(step, True), range(step["at_once"])))
        return {"all": [{name: one.get(name) for name in ("status", "code", "heads")} for one in all_told]}
    if "until" in step:
        first = None
        for attempt in range(step["tries"]):
            told = ask_once(step)
            first = told if first is None else first
            if told["status"] == step["until"]:
                break
            time.sleep(ASKED["pause"] * step.get("pause", 1))
        return {**told, "first": {"status": first["status"], "code": first.get("code")}, "seconds": round(time.monotonic() - began)}
    if "times" in step:
        all_told = [ask_once(step, step.get("fresh", False)) for _ in range(step["times"])]
        times = sorted(one["ms"] for one in all_told)
        told = {**all_told[0], "median": times[len(times) // 2], "most": times[-1]}
        told["statuses"] = sorted({one["status"] for one in all_told})
        if "picked" in told:
            told["picked"] = [one.get("picked") for one in all_told]
        return told
    return ask_once(step)


def run(step):
    try:
        ended = subprocess.run(
            ["bash", "-c", step["run"]], capture_output=True, timeout=step["seconds"], stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return {"exit": None, "text": ""}
    return {"exit": ended.returncode, "text": ended.stdout.decode(errors="replace").strip()[-300:]}


def tcp(step):
    host, port = step["tcp"].rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), step["seconds"]).close()
        return {"way": "open"}
    except TimeoutError:
        return {"way": "silent"}
    except OSError as error:
        return {"way": type(error).__name__}


answers = {}
for step in ASKED["steps"]:
    if "ask" in step:
        told = ask(step)
    elif "run" in step:
        told = run(step)
    elif "tcp" in step:
        told = tcp(step)
    else:
        time.sleep(step["sleep"])
        continue
    if not step.get("clock"):
        told.pop("at", None)
    answers[step["name"]] = told
packed = base64.b64encode(zlib.compress(json.dumps(answers, separators=(",", ":")).encode(), 9)).decode()
print("<<" + packed + ">>")
