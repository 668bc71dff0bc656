"""Asks one of the three other tools, inside the Python that has it: `peers.py TOOL < inputs.json > answers.json`.

Inputs and answers are lists; an answer is the gravest thing the tool says, in the words of cases.toml, with the
tool's own words beside it.
"""

import json
import sys
from importlib.metadata import version

ORDER = ["prohibited", "high_risk", "gpai_systemic", "gpai", "transparency", "minimal"]


def euaiact(rules):
    from euaiact import pruefe_tatbestand

    said, found = [], []
    for r in rules:
        result = pruefe_tatbestand(r["rule"], r["facts"], quellenfassung="EUAIACT_2026_07_27")
        value = result["wert"]
        gaps = result["entscheidungsrelevante_luecken"]
        said.append(f"{r['rule']} = {value}" + (f", gaps {gaps}" if gaps else ""))
        if value is True:
            found.append(r["tier"])
        elif value is None:
            found.append("?" + r["tier"])
        elif r.get("else"):
            found.append(r["else"])
    # A tool asked rule by rule says nothing of the whole; where nothing asked holds, we read "minimal".
    rank = lambda t: ORDER.index(t.lstrip("?")) if t.lstrip("?") in ORDER else -1
    return min(found, key=rank, default="minimal"), "; ".join(said)


def classifier(profile):
    from eu_ai_act_classifier.engine import classify
    from eu_ai_act_classifier.models import SystemProfile

    report = classify(SystemProfile(name="case", **profile))
    tier = {"outside_scope": "out_of_scope", "limited_risk": "transparency", "minimal_risk": "minimal"}.get(
        report.risk_tier.value, report.risk_tier.value
    )
    if tier == "minimal" and report.is_gpai:
        tier = "gpai_systemic" if report.gpai_systemic else "gpai"
    review = f"; {len(report.open_questions)} open questions" if report.open_questions else ""
    return tier, f"{report.risk_tier.value}, {report.disposition.value}{review}"


def companion(answers):
    from app.classifier import classify

    result = classify({"eu_market": True, **answers})
    tier = {"limited": "transparency"}.get(result["tier"], result["tier"])
    tier = "high_risk" if tier == "high" else tier
    if result.get("out_of_scope"):
        tier = "out_of_scope"
    elif tier == "minimal" and result["gpai_obligations"]:
        tier = "gpai_systemic" if answers.get("gpai_systemic") else "gpai"
    return tier, result["summary"]


TOOLS = {
    "euaiact": (euaiact, "euaiact"),
    "classifier": (classifier, "eu-ai-act-classifier"),
    "companion": (companion, "ai-act-companion"),
}

if __name__ == "__main__":
    ask, package = TOOLS[sys.argv[1]]
    answers = []
    for given in json.load(sys.stdin):
        try:
            tier, words = ask(given)
        except Exception as e:  # what a tool cannot take is an answer too
            tier, words = "error", f"{type(e).__name__}: {str(e)[:200]}"
        answers.append({"says": tier, "words": words})
    json.dump({"version": version(package), "answers": answers}, sys.stdout, ensure_ascii=False)
