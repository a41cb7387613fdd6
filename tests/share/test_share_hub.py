"""Uploading, against a stand-in of the Hub's HTTP interface on this machine."""

import base64
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading

import huggingface_hub
import pytest
from share_made import entries

from helpers.share import ShareError, push

TOKEN = "hf_of_a_student"


class StandIn(http.server.ThreadingHTTPServer):
    """Answers what `huggingface_hub` asks when it makes a repository and commits files to it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.repositories, self.objects, self.files, self.asked, self.status = {}, {}, {}, [], {}
        self.pause = threading.Event()


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        hub, path = self.server, self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        hub.asked.append(path)
        for part, status in hub.status.items():
            if part in path:
                return self.answer({"error": f"refused with {status}"}, status)
        if path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer({"error": "Invalid credentials"}, 401)
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization'] or 'ana'}/{asked['name']}"
            if name in hub.repositories:
                return self.answer({"url": f"{hub.address}/{name}", "error": "You already created it"}, 409)
            hub.repositories[name] = asked
            return self.answer({"url": f"{hub.address}/{name}"})
        if preupload := re.fullmatch(r"/api/models/(.+)/preupload/main", path):
            assert preupload[1] in hub.repositories
            modes = [
                {
                    "path": f["path"],
                    "uploadMode": "lfs" if f["path"].endswith((".safetensors", ".png")) else "regular",
                    "shouldIgnore": False,
                }
                for f in json.loads(body)["files"]
            ]
            return self.answer({"files": modes})
        if path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {**x, "actions": {"upload": {"href": f"{hub.address}/put/{x['oid']}"}}}
                for x in json.loads(body)["objects"]
            ]
            return self.answer({"transfer": "basic", "objects": objects})
        if commit := re.fullmatch(r"/api/models/(.+)/commit/main", path):
            lines = [json.loads(line) for line in body.splitlines()]
            files = {}
            for line in lines[1:]:
                value = line["value"]
                if line["key"] == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                else:
                    files[value["path"]] = hub.objects[value["oid"]]
            hub.files[commit[1]] = files
            url = f"{hub.address}/{commit[1]}/commit/1"
            return self.answer({"commitUrl": url, "commitOid": "1", "hookOutput": "", "success": True})
        return self.answer({"error": f"no such address {path}"}, 404)

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        assert hashlib.sha256(content).hexdigest() == self.path.removeprefix("/put/")
        self.server.objects[self.path.removeprefix("/put/")] = content
        self.answer({})

    def do_GET(self):
        self.answer({"error": "not found"}, 404)

    def answer(self, value, status=200):
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(monkeypatch):
    server = StandIn()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    # What HF_ENDPOINT and HF_HUB_DISABLE_XET set when huggingface_hub is imported. Xet is the Hub's own transport for
    # large files; without it they go by git-lfs, which the stand-in speaks.
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.address)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", "/nonexistent/token")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_every_file_arrives_as_it_was(hub, bundle):
    address = push(bundle, "ana/nuclei-unet", token=TOKEN)
    assert address == f"{hub.address}/ana/nuclei-unet"
    assert hub.files == {"ana/nuclei-unet": entries(bundle)}
    assert hub.repositories["ana/nuclei-unet"]["visibility"] == "private"


def test_a_second_upload_goes_into_the_same_repository(hub, bundle):
    push(bundle, "ana/nuclei-unet", token=TOKEN)
    hub.files.clear()
    push(bundle, "ana/nuclei-unet", token=TOKEN)
    assert list(hub.files) == ["ana/nuclei-unet"]


def test_a_name_alone_is_ones_own_repository_and_public_if_asked(hub, bundle):
    assert push(bundle, "nuclei-unet", token=TOKEN, private=False).endswith("/ana/nuclei-unet")
    assert hub.repositories["ana/nuclei-unet"]["visibility"] == "public"


def test_the_stored_token_and_the_endpoint_of_the_environment_are_used(hub, bundle):
    code = f"from helpers.share import push; print(push({str(bundle)!r}, 'ana/x'))"
    names = {"HF_ENDPOINT": hub.address, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | names, capture_output=True, text=True)
    assert done.stdout.strip() == f"{hub.address}/ana/x", done.stderr
    assert "model.safetensors" in hub.files["ana/x"]


def test_without_a_token(hub, bundle):
    with pytest.raises(ShareError, match="no token.*hf auth login"):
        push(bundle, "ana/x")
    assert not hub.asked


def test_a_wrong_token_is_not_repeated_in_the_error(hub, bundle):
    with pytest.raises(ShareError, match="does not know this token") as caught:
        push(bundle, "ana/x", token="hf_wrong_one")
    assert "hf_wrong_one" not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "status", "said"),
    [
        *((part, 403, "may not write to ana/x") for part in ("/repos/create", "/preupload/", "/batch", "/commit/")),
        ("/commit/", 413, "status 413.*refused with 413"),
    ],
)
def test_a_refusal_is_passed_on(hub, bundle, part, status, said):
    hub.status[part] = status
    with pytest.raises(ShareError, match=said):
        push(bundle, "ana/x", token=TOKEN)
    assert not hub.files


@pytest.mark.parametrize("name", ["", "a/b/c", "ana/../x", "ana/ü b", "ana/-x", "x" * 200])
def test_what_cannot_name_a_repository(hub, bundle, name):
    with pytest.raises(ShareError, match="cannot name a repository"):
        push(bundle, name, token=TOKEN)
    assert not hub.asked


def test_without_a_network(hub, bundle, closed, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", closed)
    with pytest.raises(ShareError, match="cannot be reached"):
        push(bundle, "ana/x", token=TOKEN)


def test_a_connection_that_breaks_off(hub, bundle, monkeypatch):
    def hang_up(self):
        self.close_connection = True

    monkeypatch.setattr(Answers, "do_POST", hang_up)
    with pytest.raises(ShareError, match="cannot be reached or the connection broke off"):
        push(bundle, "ana/x", token=TOKEN)


def test_offline_by_request(hub, bundle, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.utils.close_session()  # a session knows from its start whether it is offline
    try:
        with pytest.raises(ShareError, match="HF_HUB_OFFLINE is set"):
            push(bundle, "ana/x", token=TOKEN)
    finally:
        huggingface_hub.utils.close_session()
    assert not hub.asked


def test_a_damaged_bundle_never_leaves(hub, bundle, tmp_path):
    damaged = tmp_path / "ana.unet.zip"
    damaged.write_bytes(bundle.read_bytes()[:-100])
    with pytest.raises(ShareError, match="truncated"):
        push(damaged, "ana/x", token=TOKEN)
    assert not hub.asked
