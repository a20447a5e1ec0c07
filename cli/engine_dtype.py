"""In which type the engine on a CPU multiplies: the faster one, by a measurement."""

import json
import os
import subprocess
from math import sqrt
from pathlib import Path
from typing import Literal

from cli.home import Home

Dtype = Literal["bfloat16", "float32"]
# Milliseconds by kind of work ("prompt", "answer") and by type.
Measured = dict[str, dict[Dtype, float]]

CPU_INFO = Path("/proc/cpuinfo")
# By so much float32 must be faster: bfloat16 takes half the memory, and noise shall not decide.
CLEARLY = 1.2
TIMEOUT_S = 60.0


def engine_dtype(home: Home, cpu_info: Path = CPU_INFO) -> Dtype:
    """bfloat16, or float32 where that is clearly faster; measured once for a processor.

    Prompts and answers count alike: the geometric mean of how much faster they are. What was chosen
    is printed, as the supervisor prints what happens, and kept in `engine-cache/dtype.json`.
    """
    if not multiplies_bfloat16(cpu_info):
        return "float32"
    path, machine = home.assets / "engine-cache" / "dtype.json", _machine(cpu_info)
    try:
        kept = json.loads(path.read_text())
        if kept["machine"] == machine:
            return faster(kept["measured"])
    except (OSError, ValueError, LookupError, TypeError):
        pass
    measured = _measure(home.engine_python)
    if measured is None:
        return "bfloat16"
    chosen = faster(measured)
    print(f"engine: multiplies in {chosen}, by milliseconds of {measured}", flush=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"machine": machine, "measured": measured, "chosen": chosen}))
    except OSError as error:
        print(f"engine: that is not kept, so each start measures: {error}", flush=True)
    return chosen


def faster(measured: Measured) -> Dtype:
    """What is chosen by such a measurement."""
    prompt, answer = (taken["bfloat16"] / taken["float32"] for taken in measured.values())
    return "float32" if sqrt(prompt * answer) > CLEARLY else "bfloat16"


def multiplies_bfloat16(cpu_info: Path = CPU_INFO) -> bool:
    """Whether the processor multiplies bfloat16 itself.

    One that only emulates it needs 70 times as long for a matrix (738 ms against 10 ms in float32,
    on one with AVX2 alone).
    """
    if not cpu_info.exists():
        return True
    flags = cpu_info.read_text().split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _measure(engine_python: Path) -> Measured | None:
    """A second or two, most of it the start of Python; None where it fails."""
    argv = [str(engine_python), "-m", "dormouse_engine.dtype"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=TIMEOUT_S)
        measured: Measured = json.loads(done.stdout)
        return measured
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        print(f"engine: multiplies in bfloat16, unmeasured: {error}", flush=True)
        return None


def _machine(cpu_info: Path) -> str:
    """What the measurement holds for."""
    lines = cpu_info.read_text().splitlines() if cpu_info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
    return f"{model}, {len(os.sched_getaffinity(0))} cores"
