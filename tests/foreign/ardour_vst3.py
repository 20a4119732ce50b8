"""A project with the built VST3, saved and reopened by Ardour, a DAW.

    python3 ardour_vst3.py Embouchure.vst3

Each step is a new process of Ardour. One puts the plugin on a track, sets parameters, saves and quits; the next opens
the project, looks at the parameters, saves and quits; the plugin's own state in both files is compared byte for byte.
Another plays a whistle through the plugin, live and as an export. Needs Debian's package ardour (7.3 was tried), no
screen, no sound card and no Python packages.
"""

import array
import base64
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

# Name, identifier in the plugin's state, value that differs from the default. Names that the plugin lacks are skipped.
PARAMETERS = [
    ("Dry/Wet", "mix", 0.75),
    ("Brightness", "brightness", -3.0),
    ("Transpose", "transpose", -2),
    ("Octave Fit", "octave_fit", 0),
    ("Gate", "gate", -55.0),
    ("Snap", "snap", 0.5),
    ("Key", "key", 7),
    ("Scale", "scale", 3),
    ("Glide", "glide", 0.02),
    ("Room", "room", 0.25),
    ("Output", "gain", -6.0),
    ("Instrument A", "instrument_a", 7),
    ("Instrument B", "instrument_b", 4),
    ("Morph", "morph", 0.25),
    ("Width", "width", 0.5),
]
EXPORT_S = 6
# Ardour's own export preset for 16 bit WAV at 44.1 kHz.
EXPORT_PRESET = "df340c53-88b5-4342-a1c8-58e0704872ea"
# The whistle sounds for the first 0.8 s of each second.
WHISTLE_S, REST_S = 0.8, 0.2
LIMIT_S = 120


class Missing(Exception):
    pass


class Checks:
    n_passed = 0
    n_failed = 0

    def that(self, what, is_right, seen=""):
        self.n_passed += bool(is_right)
        self.n_failed += not is_right
        print(f"ok      {what}" if is_right else f"FAILED  {what}: {seen}", flush=True)


def close(a, b):
    return a is not None and abs(a - b) <= 1e-4 * max(1, abs(b))


def plain(value):
    """{"f32": 0.5}, {"i32": 3} or {"bool": true}, as a number."""
    return None if value is None else float(*value.values())


def check_values(checks, where, seen, wanted):
    for name, value in wanted.items():
        checks.that(f"{where}: {name} is {value:g}", close(seen.get(name), value), f"it is {seen.get(name)}")


def check_state(checks, where, state, names):
    """The plugin's own state, without what the host adds to it."""
    params = json.loads(state)["params"]
    wrong = [(n, params.get(i)) for n, i, v in PARAMETERS if n in names and not close(plain(params.get(i)), v)]
    checks.that(f"{where}: the plugin's state has the parameters", not wrong, wrong)


def session_of(state):
    return json.loads(state)["fields"]["session"]


def check_reopened(checks, where, saved, saved_again):
    checks.that(f"{where}: the session is the same, byte for byte", session_of(saved_again) == session_of(saved),
                f"{session_of(saved)} became {session_of(saved_again)}")
    checks.that(f"{where}: so is the whole state", saved_again == saved, f"{saved} became {saved_again}")


# Synthesises the whistle inside Ardour, before the plugin: there is no capture device, and importing needs the editor.
WHISTLE_LUA = """
ardour { ["type"] = "dsp", name = "Whistle", category = "Example", author = "Embouchure", description = "" }
function dsp_ioconfig () return { { audio_in = -1, audio_out = -1 } } end
local rate, phase, n = 48000, 0, 0
function dsp_init (r) rate = r end
function dsp_run (ins, outs, n_samples)
  local tone = {}
  for s = 1, n_samples do
    local t = n / rate
    phase = phase + 2 * math.pi * (900 + 150 * math.sin(2 * math.pi * 0.7 * t)) / rate
    tone[s] = (t % (WHISTLE_S + REST_S) < WHISTLE_S) and 0.3 * math.sin(phase) or 0
    n = n + 1
  end
  for c = 1, #outs do outs[c]:set_table(tone, n_samples) end
end
""".replace("WHISTLE_S", str(WHISTLE_S)).replace("REST_S", str(REST_S))

# Common beginning of all steps. {VALUES} is a Lua table by name.
COMMON_LUA = """
AudioEngine:set_backend("None (Dummy)", "", "")
local values = {VALUES}
local LuaAPI = ARDOUR.LuaAPI

local function embouchure()
  local route = Session:route_by_name("whistle")
  local i = 0
  while route and not route:isnil() and not route:nth_plugin(i):isnil() do
    if route:nth_plugin(i):display_name() == "Embouchure" then return route:nth_plugin(i) end
    i = i + 1
  end
end

local function set(processor)
  local plugin = processor:to_insert():plugin(0)
  for i = 0, plugin:parameter_count() - 1 do
    local value = values[plugin:parameter_label(i)]
    if value then LuaAPI.set_processor_param(processor, i, value) end
  end
  -- A VST3 host hands changes to the processor with the next block; until then the state does not have them.
  LuaAPI.usleep(500000)
end

local function show(processor)
  local plugin = processor:to_insert():plugin(0)
  for i = 0, plugin:parameter_count() - 1 do
    local value = LuaAPI.get_processor_param(processor, i)
    print(string.format("VALUE\\t%s\\t%.9g", plugin:parameter_label(i), value))
  end
end

local function save(snapshot)
  Session:save_state(snapshot)
  close_session()
  print("CLOSED")
  quit()
end
"""

MAKE_LUA = """
assert(create_session("{FOLDER}", "project", 48000), "no session")
local plugin = LuaAPI.new_plugin(Session, "Embouchure", ARDOUR.PluginType.VST3, "")
if plugin:isnil() then print("ABSENT") return quit() end
local whistle = LuaAPI.new_luaproc(Session, "Whistle")
local tracks = Session:new_audio_track(
  2, 2, nil, 1, "whistle", ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
for track in tracks:iter() do
  track:add_processor_by_index(plugin, 0, nil, true)
  track:add_processor_by_index(whistle, 0, nil, true)
end
set(plugin)
show(plugin)
save("")
"""

REOPEN_LUA = """
assert(load_session("{FOLDER}", "project"), "no session")
LuaAPI.usleep(500000)
local plugin = embouchure()
if plugin then show(plugin) end
-- Into a file of its own, so that what is compared was written now.
save("again")
"""

# This session is not saved, so it may be changed freely.
PLAY_LUA = """
assert(load_session("{FOLDER}", "project"), "no session")
set(embouchure())
local meter = Session:route_by_name("whistle"):peak_meter()
for i = 1, 30 do
  LuaAPI.usleep(100000)
  print("LEVEL\\t" .. meter:meter_level(0, ARDOUR.MeterType.MeterPeak))
end
local export = Session:simple_export()
export:set_name("export")
export:set_folder("{FOLDER}")
export:set_range(0, {EXPORT_S} * 48000)
if export:set_preset("{EXPORT_PRESET}") and export:check_outputs() and export:run_export() then print("EXPORTED") end
close_session()
quit()
"""


class Ardour:
    def __init__(self, bundle, folder):
        # The program's name contains the version.
        names = sorted(p.name for d in os.get_exec_path() for p in Path(d).glob("ardour*-lua"))
        if not names:
            raise Missing("Ardour is not installed: no ardour*-lua on the PATH; on Debian: apt-get install ardour")
        self.program = names[-1]
        self.project = folder / "project"
        home = folder / "home"
        version = re.sub(r"\D", "", self.program)
        scripts = home / ".config" / f"ardour{version}" / "scripts"
        scripts.mkdir(parents=True)
        (scripts / "whistle.lua").write_text(WHISTLE_LUA)
        shutil.copytree(bundle, home / ".vst3" / bundle.name)
        # A separate home folder: only this plugin is found, and no user's settings are changed.
        self.env = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"),
                    "XDG_CACHE_HOME": str(home / ".cache")}
        self.script = folder / "step.lua"

    def scan(self):
        """The editor does this when it starts; the Lua shell does not."""
        for scanner in Path("/usr").glob("lib*/ardour*/ardour-vst3-scanner"):
            env = {**self.env, "LD_LIBRARY_PATH": str(scanner.parent)}
            bundle = next((Path(self.env["HOME"]) / ".vst3").iterdir())
            subprocess.run([scanner, "-f", bundle], env=env, capture_output=True, timeout=LIMIT_S)

    def run(self, lua, values=()):
        table = ", ".join(f'["{name}"] = {value}' for name, value in dict(values).items())
        text = COMMON_LUA.replace("{VALUES}", "{" + table + "}") + lua
        for key, value in {"FOLDER": self.project, "EXPORT_S": EXPORT_S, "EXPORT_PRESET": EXPORT_PRESET}.items():
            text = text.replace("{" + key + "}", str(value))
        self.script.write_text(text)
        command = [self.program, self.script]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=LIMIT_S)
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        self.output = f"exit code {done.returncode}, {done.stdout[-500:]} {done.stderr[-500:]}"
        self.has_closed = done.returncode == 0 and ["CLOSED"] in lines
        return lines

    def values(self, lua, values=()):
        return {line[1]: float(line[2]) for line in self.run(lua, values) if line[0] == "VALUE"}

    def state(self, snapshot):
        """The plugin's state in a project file."""
        return unpack_vst3(self.chunk(self.project / f"{snapshot}.ardour"))

    def chunk(self, path):
        found = re.search("<chunk>(.*?)</chunk>", path.read_text(), re.S) if path.exists() else None
        if not found:
            raise Missing(f"Ardour wrote no state of the plugin into {path.name}: {self.output}")
        return base64.b64decode(found[1])


def unpack_vst3(chunk):
    """The plugin's state in a VST3 preset, which Ardour keeps: header of 48 bytes, state, list of parts."""
    start, size = struct.unpack_from("<qq", chunk, chunk.rindex(b"Comp") + 4)
    return chunk[start:start + size]


def levels(path):
    """Peak of each tenth of a second."""
    with wave.open(str(path)) as file:
        n = file.getframerate() // 10 * file.getnchannels()
        samples = array.array("h", file.readframes(file.getnframes()))
    return [max(map(abs, samples[i:i + n])) / 32768 for i in range(0, len(samples) - n + 1, n)]


def check_ardour(checks, bundle, folder):
    ardour = Ardour(bundle, folder)
    where = ardour.program.removesuffix("-lua")
    ardour.scan()
    asked = {name: value for name, _, value in PARAMETERS}
    seen = ardour.values(MAKE_LUA, asked)
    is_done = seen and ardour.has_closed
    checks.that(f"{where}: makes a project with the plugin, saves it and closes", is_done, ardour.output)
    if not seen:
        return  # Nothing below could pass.
    wanted = {name: value for name, value in asked.items() if name in seen}
    saved = ardour.state("project")
    check_state(checks, f"{where}, saved", saved, wanted)

    seen = ardour.values(REOPEN_LUA)
    is_done = seen and ardour.has_closed
    checks.that(f"{where}: opens the project with the plugin, saves it and closes", is_done, ardour.output)
    check_values(checks, f"{where}, reopened", seen, wanted)
    check_reopened(checks, f"{where}, reopened", saved, ardour.state("again"))

    # Only the wet signal: the dry signal or the reverb would hide that the instrument is silent.
    # Ardour 7.3 sometimes crashes when its Lua shell exports, also in a session without plugins.
    for _ in range(5):
        lines = ardour.run(PLAY_LUA, {"Dry/Wet": 1, "Octave Fit": 1, "Room": 0, "Output": 0, "Morph": 0})
        if ["EXPORTED"] in lines:
            break
    live = [float(line[1]) for line in lines if line[0] == "LEVEL"]
    checks.that(f"{where}: the whistle sounds live", live and sorted(live)[len(live) // 2] > -40, f"dB: {live}")
    checks.that(f"{where}: exports", ["EXPORTED"] in lines, ardour.output)
    found = sorted(ardour.project.glob("export*.wav"), key=lambda path: path.stat().st_mtime)
    exported = levels(found[-1]) if found and ["EXPORTED"] in lines else []
    # Each whistle has an onset, so not all of its tenths of a second sound.
    expected = 0.8 * EXPORT_S * WHISTLE_S * 10
    sounding = sum(level > 0.01 for level in exported)
    checks.that(f"{where}: the whistle sounds in the export", sounding >= expected,
                f"only {sounding} of {len(exported)} tenths of a second sound: {[round(x, 2) for x in exported]}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    bundle = Path(sys.argv[1]).resolve()
    if bundle.suffix != ".vst3" or not bundle.is_dir():
        sys.exit(f"{bundle} is not a VST3 bundle")
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="embouchure-daw-") as folder:
        try:
            check_ardour(checks, bundle, Path(folder))
        except Missing as e:
            checks.that("the DAW is there and saves the plugin", False, e)
        except subprocess.TimeoutExpired as e:
            checks.that(f"each step ends within {LIMIT_S} s", False, e)
    print(f"daw: {checks.n_passed} passed, {checks.n_failed} failed")
    return 1 if checks.n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
