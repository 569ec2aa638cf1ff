#!/usr/bin/env python3
"""Reads what `pagewalk export` writes with other people's parsers.

usage: check.py PAGEWALK

Needs asciinema, vcd2fst and fst2vcd (gtkwave), Chromium, and from PyPI perfetto and itf-py. What is missing is
named, and is an error unless PAGEWALK_SKIP_MISSING is set.
"""

import html.parser
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import xml.dom.minidom

PAGEWALK = os.path.abspath(sys.argv[1])
SCENARIO = "built-in"
SIZE = "110x32"
failures = []


def pagewalk(*arguments, check=True, **options):
    found = subprocess.run([PAGEWALK, *arguments], capture_output=True, **options)
    if check and found.returncode:
        raise SystemExit(f"pagewalk {' '.join(arguments)}: {found.stderr.decode()}")
    return found.stdout


def export(kind, *more, scenario=SCENARIO):
    return pagewalk("export", scenario, "--to", kind, "--size", SIZE, *more)


def expect(condition, what):
    if not condition:
        failures.append(what)
        print(f"not as expected: {what}", file=sys.stderr)


def missing(tool):
    if "PAGEWALK_SKIP_MISSING" in os.environ:
        print(f"skipped: {tool} is missing")
        return True
    expect(False, f"{tool} is missing")
    return True


records = [json.loads(line) for line in pagewalk("run", SCENARIO, "--json").splitlines()]
steps = sum(len(record["steps"]) for record in records)


def sameEverywhere(folder):
    for kind in "html cast cast2 svg text chrome perfetto vcd itf json".split():
        environment = dict(os.environ, LANG="C", TZ="Asia/Tokyo", TERM="dumb", HOME=folder)
        one = export(kind)
        other = pagewalk(
            "export", SCENARIO, "--to", kind, "--size", SIZE, env=environment, cwd=folder)
        expect(one == other, f"{kind} is the same in another place")


def casts(folder):
    two = [json.loads(line) for line in export("cast2").splitlines()]
    three = [json.loads(line) for line in export("cast").splitlines()]
    expect(two[0]["version"] == 2 and three[0]["version"] == 3, "versions of casts")
    expect([e[1:] for e in two[1:]] == [e[1:] for e in three[1:]], "both casts say the same")
    time = 0
    for second, third in zip(two[1:], three[1:]):
        time += third[0]
        expect(abs(time - second[0]) < 1e-6, f"times of casts at {second[0]}")
    if not shutil.which("asciinema"):
        return missing("asciinema")
    path = os.path.join(folder, "x.cast")
    open(path, "wb").write(export("cast2"))
    # It wants a terminal.
    played = subprocess.run(["script", "-qec", f"asciinema cat {path}", "/dev/null"],
                            stdin=subprocess.DEVNULL, capture_output=True).stdout.decode()
    expect(played == "".join(e[2] for e in two[1:] if e[1] == "o"), "asciinema plays the cast")


def perfetto(folder):
    try:
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent
    except ImportError:
        return missing("perfetto")
    trace = Trace()
    trace.ParseFromString(export("perfetto"))
    events = [packet.track_event for packet in trace.packet if packet.HasField("track_event")]
    begins = [e for e in events if e.type == TrackEvent.TYPE_SLICE_BEGIN]
    ends = [e for e in events if e.type == TrackEvent.TYPE_SLICE_END]
    expect(len(begins) == len(ends) == len(records) + steps, "a slice for each event and micro-step")
    names = {e.name for e in begins}
    expect(all(record["statement"] in names for record in records), "events by their statements")
    tracks = {packet.track_descriptor.uuid for packet in trace.packet
              if packet.HasField("track_descriptor")}
    expect(all(e.track_uuid in tracks for e in events), "each track is described")
    flows = [flow for e in begins for flow in e.flow_ids]
    expect(flows and max(flows.count(flow) for flow in flows) == 2, "leaves flow to their end")


def chrome(folder):
    trace = json.loads(export("chrome"))
    slices = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    expect(len(slices) == len(records) + steps, "a Chrome slice for each event and micro-step")


def waves(folder):
    if not shutil.which("vcd2fst"):
        return missing("vcd2fst")
    path = os.path.join(folder, "x.vcd")
    open(path, "wb").write(export("vcd"))
    subprocess.run(["vcd2fst", path, path + ".fst"], check=True, capture_output=True)
    subprocess.run(["fst2vcd", "-f", path + ".fst", "-o", path + ".back"], check=True,
                   capture_output=True)

    def changes(text):
        names, found, time = {}, {}, 0
        for line in text.splitlines():
            words = line.split()
            if line.startswith("$var"):
                names[words[3]] = words[4]
            elif line.startswith("#"):
                time = int(line[1:])
            elif line[:1] in "bs" and len(words) == 2:
                value = words[0][1:].replace("\\x20", " ").replace("\\040", " ")
                if line[0] == "b":
                    value = int(value, 2) if set(value) <= {"0", "1"} else None
                if value is not None:
                    found.setdefault(names[words[1]], []).append((time, value))
        # What does not change is no change.
        return {name: [v for i, v in enumerate(values) if i == 0 or v[1] != values[i - 1][1]]
                for name, values in found.items()}

    one = changes(open(path, encoding="latin1").read())
    other = changes(open(path + ".back", encoding="latin1").read())
    for name, values in one.items():
        kept = [value for value in other.get(name, []) if value in values]
        expect(kept == values, f"{name} survives the way through FST")


def states(folder):
    try:
        import itf_py
    except ImportError:
        return missing("itf-py")
    trace = itf_py.trace_from_json(json.loads(export("itf")))
    expect(len(trace.states) == len(records), "a state for each event")
    expect([int(s.values["event"]) for s in trace.states] == list(range(1, len(records) + 1)),
           "states in their order")
    dump = pagewalk("dump", SCENARIO, "--table", "canonical").decode()
    expect(("canonical" in dict(trace.states[-1].values["leaves"])) == bool(dump), "tables have leaves")


def pictures(folder):
    picture = xml.dom.minidom.parseString(export("svg"))
    frames = [g for g in picture.getElementsByTagName("g") if g.getElementsByTagName("set")]
    inner = [g for g in frames if g.getAttribute("visibility") == "hidden"]
    expect(len(inner) == len(records) + 1, "a group for each frame")


def dom(path, extra=()):
    found = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000", *extra, path],
        capture_output=True, timeout=120)
    return found.stdout.decode()


class Frame(html.parser.HTMLParser):
    """The text of the element whose id is `frame`."""

    def __init__(self):
        super().__init__()
        self.depth, self.text, self.tags = 0, "", set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if self.depth or dict(attributes).get("id") == "frame":
            self.depth += 1

    def handle_endtag(self, tag):
        if self.depth:
            self.depth -= 1

    def handle_data(self, data):
        if self.depth:
            self.text += data


def frame(page):
    reader = Frame()
    reader.feed(page)
    return [line.rstrip() for line in reader.text.rstrip("\n").split("\n")], reader.tags


def pages(folder):
    page = export("html")
    expect(len(page) <= 300 << 10, "the size of a page")
    text = page.decode()
    links = re.findall(r"(?:src|href)\s*=\s*[\"']([^\"']*)", text)
    expect(all(link.startswith("#") for link in links), "a page leads to itself alone")
    expect("http" not in text, "a page names no other")
    if not shutil.which("chromium"):
        return missing("chromium")
    path = os.path.join(folder, "x.html")
    open(path, "wb").write(page)
    chosen = random.Random(1).sample(range(len(records) + 1), 6)
    for number in chosen:
        shown, _ = frame(dom(f"file://{path}#{number}"))
        rendered = pagewalk("render", SCENARIO, "--at", str(number), "--size", SIZE).decode()
        expect(shown == [line.rstrip() for line in rendered.rstrip("\n").split("\n")],
               f"the page at event {number} is what render gives")
    # Keys.
    keys = list("....,..]0.......,")
    place, last = 0, len(records)
    chapters = [int(m) for m in re.findall(r'<li id=e(\d+)>[^\n]*?<em>', text)]
    for key in keys:
        if key == ".":
            place = min(last, place + 1)
        elif key == ",":
            place = max(0, place - 1)
        elif key == "]":
            place = next((c for c in chapters if c > place), last)
        elif key == "0":
            place = 0
    press = "".join(
        f"document.dispatchEvent(new KeyboardEvent('keydown',{{key:{json.dumps(key)}}}));"
        for key in keys)
    press = f"if(body.classList.contains('js')){{clearInterval(waiting);{press}}}"
    press = f"<script>const waiting=setInterval(()=>{{{press}}},10);</script>"
    open(path, "w").write(text.replace("</body>", f"{press}</body>"))
    shown, _ = frame(dom(f"file://{path}"))
    rendered = pagewalk("render", SCENARIO, "--at", str(place), "--size", SIZE).decode()
    expect(shown == [line.rstrip() for line in rendered.rstrip("\n").split("\n")],
           f"keys lead to event {place}")
    # Text of a file is text.
    evil = os.path.join(folder, "evil.pw")
    tricks = ["</script><img src=x onerror=alert(1)>", "<b>&amp;</b>", "]]>--></pre><svg/onload=1>"]
    lines = ["pagewalk 1", f'title "{tricks[0]}"', "vm ipa=40 vcpus=1 nested=on",
             "memslot 0 0x40000000 4M backing=4K"]
    lines += [f'step "{trick}" "{trick}"' for trick in tricks]
    open(evil, "w").write("\n".join(lines) + "\n")
    open(path, "wb").write(export("html", scenario=evil))
    _, tags = frame(dom(f"file://{path}"))
    expect(not tags & {"img", "svg"}, "no text of a file is markup")
    xml.dom.minidom.parseString(export("svg", scenario=evil))
    json.loads(export("chrome", scenario=evil))


with tempfile.TemporaryDirectory() as folder:
    for check in (sameEverywhere, casts, perfetto, chrome, waves, states, pictures, pages):
        check(folder)
        print(f"{check.__name__}: looked at")
sys.exit(1 if failures else 0)
