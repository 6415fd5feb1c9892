"""What importing costs: ``python -m tests.benchmarks.import_cost``.

Each import runs in a fresh interpreter, the subjects in turn, so that a busy moment of the machine falls on all of them.
Prints the medians of processor time and peak memory over what an empty interpreter costs, and their ratios to ours.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

SUBJECTS = {
    "nothing": "",
    "the generated messages": "from llm_gateway.v1 import binding_pb2, budget_pb2, endpoint_pb2, secret_pb2",
    "gateway_entities": "import gateway_entities",
    "gateway_entities, and a client": "from gateway_entities import GatewayClient",
    "mlflow.entities": "import mlflow.entities",
}
ROUNDS = 15
MEASURE = """
import resource
{subject}
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def measure(subject: str) -> tuple[float, float] | None:
    """Return seconds and MiB of one interpreter; None if there is nothing to import."""
    # Without compiled files every start would compile the sources again.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", MEASURE.format(subject=subject)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    seconds, kib = done.stdout.split()
    return float(seconds), int(kib) / 1024


def main() -> None:
    """Measure and print."""
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in SUBJECTS}
    for _ in range(ROUNDS):
        for name, subject in SUBJECTS.items():
            sample = measure(subject)
            if sample is not None:
                samples[name].append(sample)
    medians = {
        name: [statistics.median(column) for column in zip(*taken, strict=True)] for name, taken in samples.items() if taken
    }
    empty, ours = medians["nothing"], medians["gateway_entities"]
    print(f"{'import':32} {'ms':>7} {'MiB':>7} {'times ours':>11}")
    for name, (seconds, memory) in medians.items():
        ratio = (seconds - empty[0]) / (ours[0] - empty[0])
        print(f"{name:32} {(seconds - empty[0]) * 1000:7.0f} {memory - empty[1]:7.1f} {ratio:11.1f}")
    for name in SUBJECTS.keys() - medians.keys():
        print(f"{name}: not installed")


if __name__ == "__main__":
    main()
