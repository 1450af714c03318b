"""The report of a run: one HTML page that needs nothing else, verdicts first, then each scenario with its plots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from hil.judge import Finding, Verdict
from hil.live import summary
from hil.plot import Window, around, plot
from hil.recorder import Recorder
from hil.rig import Rig
from hil.runner import Result
from hil.scenario import GROUPS
from hil.style import STYLE

CLASSES = {
    Verdict.PASSED: "passed",
    Verdict.LATE: "late",
    Verdict.WRONG: "wrong",
    Verdict.SKIPPED: "skipped",
    Verdict.FAILED: "failed",
}


def page(rig: Rig, results: Sequence[Result], at: datetime | None = None) -> str:
    """Return the page. `at` is when it was made (default: now)."""
    at = at or datetime.now(UTC)
    bad = any(result.verdict.bad for result in results)
    ran = any(result.verdict is not Verdict.SKIPPED for result in results)
    verdict = "not every reaction was right and in time" if bad else "every reaction was right and in time"
    verdict = verdict if ran else "nothing could be run"
    body = [
        "<header>",
        f"<h1>Rig {escape(rig.name)}: {verdict}</h1>",
        _counts(results),
        _about(rig, results, at),
        "</header>",
        _overview(results),
        *(_scenario(result) for result in results),
    ]
    title = f"rig {rig.name}, {at:%Y-%m-%d %H:%M}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>\n{chr(10).join(body)}\n</body></html>\n"
    )


def _pill(verdict: Verdict) -> str:
    return f'<span class="pill {CLASSES[verdict]}">{verdict.value}</span>'


def _counts(results: Sequence[Result]) -> str:
    cells = []
    for verdict in Verdict:
        count = sum(1 for result in results if result.verdict is verdict)
        if count:
            cells.append(f'<span class="count {CLASSES[verdict]}"><b>{count}</b> {verdict.value}</span>')
    return f'<p class="counts">{"".join(cells)}</p>'


def _about(rig: Rig, results: Sequence[Result], at: datetime) -> str:
    identities = [result.identity for result in results if result.identity.firmware]
    configurations = sorted({one.configuration for one in identities if one.configuration})
    rows = [
        ("made", f"{at:%Y-%m-%d %H:%M:%S} UTC"),
        ("rig", f"{rig.name}: {rig.description} ({rig.clock} clock)"),
        ("firmware", identities[0].firmware if identities else "unknown"),
        ("commit", (identities[0].commit if identities else "") or "unknown"),
        ("safety controller", (identities[0].safety_firmware if identities else "") or "unknown"),
        ("configuration", ", ".join(configurations) or "unknown"),
    ]
    used = [one.process for one in identities if one.process]
    rows += [("process", used[-1])] if used else []
    table = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    wires = "".join(f"<li>{escape(line)}</li>" for line in rig.wiring)
    return f"<dl>{table}</dl>" + (f"<details><summary>wiring</summary><ul>{wires}</ul></details>" if wires else "")


def _overview(results: Sequence[Result]) -> str:
    rows = []
    groups = list(GROUPS)
    last = ""
    for result in sorted(results, key=lambda one: groups.index(one.scenario.group)):
        scenario = result.scenario
        if scenario.group != last:
            last = scenario.group
            rows.append(f'<tr><th class="group" colspan="5">{escape(GROUPS[last])}</th></tr>')
        name = escape(scenario.name)
        met = sum(1 for one in result.findings if one.verdict is Verdict.PASSED)
        count = f"{met}/{len(result.findings)}" if result.findings else ""
        wrong = ' class="summary"' if result.verdict.bad else ""
        rows.append(
            f'<tr><td>{_pill(result.verdict)}</td><td><a href="#{name}">{name}</a></td>'
            f"<td>{escape(scenario.title)}</td><td class=num>{count}</td>"
            f"<td{wrong}>{escape(summary(result))}</td></tr>"
        )
    head = (
        "<tr><th></th><th>scenario</th><th>what happens</th><th class=num>met</th>"
        "<th>closest to its deadline, or what is wrong</th></tr>"
    )
    return f'<section><table class="overview">{head}{"".join(rows)}</table></section>'


def _scenario(result: Result) -> str:
    scenario, recorder = result.scenario, result.recorder
    parts = [
        f'<section id="{escape(scenario.name)}"><h2>{_pill(result.verdict)} {escape(scenario.title)}</h2>',
        f'<p class="sub">{escape(scenario.name)} · car {escape(scenario.car)} · begins {escape(scenario.start)}'
        f" · {result.duration_s:.1f} s on the rig's clock</p>",
    ]
    if scenario.why:
        parts.append(f"<p>{escape(scenario.why)}</p>")
    if result.note:
        parts.append(f'<p class="note">{escape(result.note)}</p>')
    if result.findings:
        parts.append(_findings(result))
    if recorder is not None and recorder.at_end_s > 0:
        whole = Window(0.0, recorder.at_end_s)
        parts.append(
            f"<figure>{plot(recorder, whole, result.events)}<figcaption>the whole recording</figcaption></figure>"
        )
        parts += _steps(result, recorder)
        parts.append(_log(recorder))
    parts.append("</section>")
    return "\n".join(parts)


def _findings(result: Result) -> str:
    rows = []
    last = -1
    for one in result.findings:
        step = result.scenario.steps[one.step]
        first = escape(step.title or "(waiting)") if one.step != last else ""
        last = one.step
        words = f"stays so: {one.that}" if one.kept else one.that
        limit = f"{one.from_s:g} to {one.deadline_s:g} s" if one.kept else f"{one.deadline_s:g} s"
        took = "" if one.measured_s is None else f"{one.measured_s:.3f} s"
        note = f'<br><span class="note">{escape(one.note)}</span>' if one.note else ""
        rows.append(
            f"<tr><td><code>{first}</code></td><td>{escape(words)}{note}</td><td class=num>{took}</td>"
            f'<td class=num>{limit}</td><td>{_pill(one.verdict)}</td><td class="clause">{escape(one.clause)}</td></tr>'
        )
    head = (
        "<tr><th>event</th><th>must be so</th><th class=num>after</th><th class=num>deadline</th>"
        "<th></th><th>clause</th></tr>"
    )
    return f'<table class="findings">{head}{"".join(rows)}</table>'


def _steps(result: Result, recorder: Recorder) -> list[str]:
    """Draw each event with what followed from near."""
    figures = []
    for number, step in enumerate(result.scenario.steps):
        findings: list[Finding] = [one for one in result.findings if one.step == number]
        if not findings:
            continue
        at_s = findings[0].event_at_s
        picture = plot(recorder, around(at_s, findings), result.events, findings, at_s)
        bad = any(one.verdict.bad for one in findings)
        figures.append(
            f"<details{' open' if bad or number == 0 else ''}>"
            f"<summary>{escape(step.title or 'waiting')}, from near</summary><figure>{picture}</figure></details>"
        )
    return figures


def _log(recorder: Recorder) -> str:
    rows = "".join(
        f'<tr class="{mark.kind}"><td class=num>{mark.at_s:.3f}</td><td>{mark.kind}</td>'
        f"<td>{escape(mark.text)}</td></tr>"
        for mark in sorted(recorder.marks, key=lambda mark: mark.at_s)
    )
    return f'<details><summary>log, {len(recorder.marks)} lines</summary><table class="log">{rows}</table></details>'
