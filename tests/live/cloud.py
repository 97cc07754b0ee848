"""Requests to the live Keystone, Barbican and Swift with an account's own token; for the scripts of this folder."""
import hashlib
import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request

LIVE_DIR = os.environ.get("LIVE_DIR", "/tmp/changeguard-live")


def description():
    with open(LIVE_DIR + "/live.json", encoding="utf-8") as f:
        return json.load(f)


def request(method, url, token=None, body=None, headers=None, allow=()):
    """(status, headers, bytes) of the answer. `body` is sent as it is when bytes, else as JSON."""
    headers = dict(headers or {})
    if token:
        headers["X-Auth-Token"] = token
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=60) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        text = e.read()
        if e.code in allow:
            return e.code, e.headers, text
        raise SystemExit(f"{method} {url}: {e.code} {text.decode(errors='replace')[:400]}") from e


def get(url, token):
    return json.loads(request("GET", url, token)[2])


def password_token(keystone, user, password, project):
    """(token, user id)"""
    domain = {"id": "default"}
    who = {"methods": ["password"], "password": {"user": {"name": user, "domain": domain, "password": password}}}
    scope = {"project": {"name": project, "domain": domain}}
    _, headers, text = request("POST", keystone + "/auth/tokens", body={"auth": {"identity": who, "scope": scope}})
    return headers["X-Subject-Token"], json.loads(text)["token"]["user"]["id"]


def operator(live):
    o = live["operator"]
    return password_token(live["keystone_url"], o["user"], o["password"], o["project"])[0]


def tenant(live, name):
    for t in live["tenants"]:
        if t["name"] == name:
            return t
    raise SystemExit(f"no tenant is called {name!r}")


def public_key(private):
    """The public key of a private one, or None when it is none."""
    done = subprocess.run(["wg", "pubkey"], input=private + "\n", capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def secrets(live, token, tenant_id):
    """Every secret whose name holds the tenant's id: Barbican's own filter is SQL LIKE, and pages end at 100."""
    found, url = [], live["barbican_url"] + "/v1/secrets?limit=100"
    while url:
        page = get(url, token)
        found += [s for s in page["secrets"] if tenant_id in (s["name"] or "")]
        url = page.get("next")
    return sorted(found, key=lambda s: (s["created"], s["secret_ref"]))


def payload(token, href):
    status, _, data = request("GET", href + "/payload", token, headers={"Accept": "application/octet-stream"}, allow=(404,))
    return data if status == 200 else None


def rewrite(host, interface, field, value):
    """Puts another key into a host's wg0.conf, where a restart finds it again, and applies the file to the live interface."""
    path = f"{LIVE_DIR}/hosts/{host}/wireguard/wg0.conf"
    with open(path, encoding="utf-8") as f:
        text = "".join(f"{field} = {value}\n" if line.startswith(field + " ") else line for line in f)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    inside(host, "wg", "syncconf", interface, "/dev/stdin", stdin=text)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def inside(host, *command, stdin=None, check=True):
    """Runs a command as root inside a VPN host; returns what it printed."""
    with open(f"{LIVE_DIR}/run/host-{host}.pid", encoding="utf-8") as f:
        pid = f.read().split()[0]
    done = subprocess.run(["nsenter", "-t", pid, "-n", "-m", "-u", "--", *command], input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise SystemExit(f"{host}: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout if check else done
