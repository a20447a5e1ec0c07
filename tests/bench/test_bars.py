"""Whether a bar holds is judged on the last cycle, by the median seed."""

from typing import Any

from bench.bars import Run, as_bars, reached


def run(base: dict[str, float | None] | None = None, **measures: list[float | None]) -> Run:
    num_cycles = len(next(iter(measures.values())))
    cycles: list[dict[str, Any]] = [
        {"seconds": 100.0, **{name: values[number] for name, values in measures.items()}}
        for number in range(num_cycles)
    ]
    return Run(base or {}, cycles)


def test_a_bar_is_held_against_the_median_of_the_last_cycles() -> None:
    runs = [run(acquired=[1.0, 0.9]), run(acquired=[0.8, 1.0]), run(acquired=[0.9, 0.95])]
    assert reached(runs)[0] == ("acquired", "≥ 0.95", "0.925", "0.950", "yes")
    runs[1] = run(acquired=[1.0, 0.94])
    assert reached(runs)[0] == ("acquired", "≥ 0.95", "0.950", "0.940", "no")


def test_what_must_stay_with_the_base_may_leave_it_to_neither_side() -> None:
    base: dict[str, float | None] = {"blimp": 0.799}
    for last, holds in ((0.794, "yes"), (0.804, "yes"), (0.7939, "no"), (0.8041, "no")):
        (row,) = (r for r in reached([run(base, blimp=[None, last])]) if r[0] == "blimp")
        assert row[-1] == holds, row


def test_the_last_cycle_is_timed_against_the_second_and_all_against_an_hour() -> None:
    slow = Run({}, [{"seconds": seconds} for seconds in (900.0, 1000.0, 1501.0)])
    fast = Run({}, [{"seconds": seconds} for seconds in (900.0, 1000.0, 1500.0)])
    assert [row[-2:] for row in reached([slow])] == [("1.50", "no"), ("", "yes")]
    assert [row[-1] for row in reached([fast])] == ["yes", "yes"]
    assert reached([run(acquired=[1.0])])[-1][:3] == ("seconds of all", "≤ 3600", "100")


def test_nights_that_take_no_time_do_not_grow() -> None:
    assert [row[0] for row in reached([Run({}, [{"seconds": 0.0}, {"seconds": 0.0}])])] == [
        "seconds of all"
    ]


def test_the_figures_file_says_of_each_bar_whether_it_holds() -> None:
    bars = as_bars(reached([run(acquired=[1.0], leak=[0.2])]), "ours")
    assert bars[0] == {"name": "ours: acquired", "value": 1.0, "bar": "≥ 0.95", "holds": True}
    assert {bar["name"]: bar["holds"] for bar in bars}["ours: leak"] is False
