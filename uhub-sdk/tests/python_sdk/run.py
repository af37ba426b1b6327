#!/usr/bin/env python3
"""Runs the platform's official Python SDK against `cargo xtask local`.

    uhub-sdk/tests/python_sdk/run.py            # fails if the SDK's requests differ from the recording
    uhub-sdk/tests/python_sdk/run.py --record   # replaces the recording

The recording is ../data/python_sdk.json; mod.rs compares our client's requests with it. This needs Rust and, on
Linux or macOS, Python 3.8 or newer with venv: the SDK is installed into a virtual environment under target/.
"""

import argparse
import contextlib
import difflib
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").absolute()
REQUIREMENTS = HERE / "requirements.txt"
DATA = HERE / "data.json"
RECORDING = HERE.parent / "data" / "python_sdk.json"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="replace the recording")
    arguments = parser.parse_args()
    environment = make_environment()
    if not environment.samefile(sys.prefix):
        sys.exit(subprocess.call([environment / "bin/python", __file__, *sys.argv[1:]]))

    # The server is on this machine, so that no proxy is used.
    os.environ["NO_PROXY"] = "127.0.0.1"
    sent = []
    with local_server() as connection:
        use_every_action(connection, sent)
        check_refusals(connection)
    recording = render(sent)
    if arguments.record:
        RECORDING.write_text(recording, encoding="utf-8")
        print(f"{RECORDING}: {len(sent)} calls recorded")
        return
    recorded = RECORDING.read_text(encoding="utf-8")
    if recording != recorded:
        before, now = (text.splitlines(keepends=True) for text in (recorded, recording))
        sys.stdout.writelines(difflib.unified_diff(before, now, "recorded", "sent now"))
        sys.exit("The SDK's requests differ from the recording. If that is intended: run.py --record")
    print(f"The SDK's {len(sent)} requests match the recording.")


def make_environment():
    """Returns the virtual environment with the requirements, and creates it if it is missing."""
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    environment = TARGET / "python_sdk" / key
    complete = environment / "complete"
    if not complete.exists():
        print(f"installing {REQUIREMENTS.name} into {environment}", flush=True)
        if subprocess.call([sys.executable, "-m", "venv", "--clear", environment]) != 0:
            sys.exit("Python cannot create a virtual environment. On Debian and Ubuntu, install python3-venv.")
        pip = [environment / "bin/python", "-m", "pip", "--disable-pip-version-check"]
        if subprocess.call([*pip, "install", "--quiet", "--requirement", REQUIREMENTS]) != 0:
            sys.exit(f"pip cannot install {REQUIREMENTS}: see its output above")
        complete.touch()
    return environment


@contextlib.contextmanager
def local_server():
    """Runs `cargo xtask local` and yields the variables that connect a client to it."""
    command = ["cargo", "xtask", "local", "--data", DATA]
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield dict(exported(server.stdout.readline()) for _ in range(4))
            server.send_signal(signal.SIGINT)
            rest, _ = server.communicate(timeout=60)
            assert server.returncode == 0, f"the server ended with {server.returncode}"
            assert rest == "", f"unexpected standard output: {rest}"
        except BaseException:
            server.kill()
            server.wait()
            log.seek(0)
            sys.stderr.write(log.read())
            raise
        finally:
            server.stdout.close()


def exported(line):
    """Parses a line `export NAME=value` into `("NAME", "value")`."""
    words = shlex.split(line)
    if len(words) != 2 or words[0] != "export":
        raise AssertionError(f"expected `export NAME=value` from `cargo xtask local`, got {line!r}")
    return words[1].split("=", 1)


def sdk(connection, sent=None, **config):
    """Creates an SDK client as its documentation describes, and records its requests in `sent`."""
    from ucloud.client import Client
    from ucloud.core.utils.middleware import Middleware

    config = {
        "base_url": connection["UCLOUD_API_BASE_URL"],
        "public_key": connection["UCLOUD_PUBLIC_KEY"],
        "private_key": connection["UCLOUD_PRIVATE_KEY"],
        "project_id": connection["UCLOUD_PROJECT_ID"],
        **config,
    }
    # The default middleware logs every request with its parameters.
    client = Client(config, middleware=Middleware())

    @client.transport.middleware.request
    def record(request):
        if sent is not None:
            assert not request.params and not request.json, "parameters outside of the form"
            sent.append(request)
        return request

    return client


def use_every_action(connection, sent):
    """Calls all eight actions and checks their responses and effects."""
    client = sdk(connection, sent)
    uhub = client.uhub()

    projects = client.uaccount().get_project_list()
    assert [each["ProjectId"] for each in projects["ProjectSet"]] == ["org-python", "org-other"], projects
    assert projects["ProjectCount"] == 2, projects

    # Create, list and change repositories.
    description = "Images & tags: 100 % of “镜像”, a+b=c/~*'"
    uhub.create_repo({"RepoName": "made-here", "Description": description, "IsShared": True})
    public = uhub.get_repo()
    assert [each["RepoName"] for each in public["RepoSet"]] == ["made-here"], public
    assert public["RepoSet"][0]["Description"] == description, public
    uhub.update_repo({"RepoName": "made-here", "Description": "private now", "IsShared": "false"})
    assert uhub.get_repo({"Type": "public", "Offset": 0, "Limit": 100})["TotalCount"] == 0
    private = uhub.get_repo({"Type": "private", "Offset": 1, "Limit": 1})
    assert private["TotalCount"] == 2, private
    [made] = private["RepoSet"]
    assert (made["RepoName"], made["Description"], made["IsShared"]) == ("made-here", "private now", "false")

    # List pages of images and tags, delete one tag and all tags.
    images = uhub.get_repo_image({"RepoName": "base"})
    assert [each["ImageName"] for each in images["ImageSet"]] == ["nginx", "redis", "team/tool"], images
    page = uhub.get_repo_image({"RepoName": "base", "Offset": 2, "Limit": 1})
    assert (page["TotalCount"], page["ImageSet"][0]["ImageName"]) == (3, "team/tool"), page
    tags = uhub.get_image_tag({"RepoName": "base", "ImageName": "nginx", "Offset": 1, "Limit": 2})
    assert tags["TotalCount"] == 3, tags
    assert [each["TagName"] for each in tags["TagSet"]] == ["1.26", "1.27"], tags
    nginx = {"RepoName": "base", "ImageName": "nginx", "TagName": "1.26"}
    assert uhub.get_image_tag(nginx)["TagSet"][0]["Digest"].startswith("sha256:")
    uhub.delete_repo_image(nginx)
    assert uhub.get_image_tag(nginx)["TotalCount"] == 0
    uhub.delete_repo_image({"RepoName": "base", "ImageName": "redis"})
    # An empty tag counts as absent, and deletes the whole image.
    uhub.delete_repo_image({"RepoName": "base", "ImageName": "nginx", "TagName": ""})

    # With a region, as in the SDK's documentation, and an action called by name.
    regional = sdk(connection, sent, region="cn-bj2")
    images = regional.invoke("GetRepoImage", {"RepoName": "base", "Limit": 5})
    assert [each["ImageName"] for each in images["ImageSet"]] == ["team/tool"], images

    uhub.delete_repo({"RepoName": "made-here"})
    assert uhub.get_repo({"Type": "private"})["TotalCount"] == 1


def check_refusals(connection):
    """Checks the return codes that the SDK reports."""
    uhub = sdk(connection).uhub()
    expect(171, lambda: sdk(connection, private_key="another").uhub().get_repo())
    expect(172, lambda: sdk(connection, public_key="nobody").uhub().get_repo())
    expect(292, lambda: sdk(connection, project_id="org-nowhere").uhub().get_repo())
    expect(161, lambda: sdk(connection).invoke("NoSuchAction"))
    # The repository is not empty, and a refused call changes nothing.
    refuse = expect(None, lambda: uhub.delete_repo({"RepoName": "base"}))
    assert refuse.request_uuid, "the SDK finds no request id"
    assert uhub.get_repo_image({"RepoName": "base"})["TotalCount"] == 1


def expect(code, call):
    """Returns the error of a call, with this return code if one is given."""
    from ucloud.core.exc import RetCodeException

    try:
        response = call()
    except RetCodeException as error:
        assert code is None or error.code == code, f"expected {code}: {error}"
        return error
    raise AssertionError(f"expected an error: {response}")


def render(sent):
    """Renders the recording, without headers: only they differ from run to run."""
    calls = []
    for request in sent:
        parameters = dict(request.data)
        calls.append(
            {
                "method": request.method.upper(),
                "content_type": request.headers["Content-Type"],
                "signature": parameters.pop("Signature"),
                "parameters": dict(sorted(parameters.items())),
            }
        )
    return json.dumps(calls, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
