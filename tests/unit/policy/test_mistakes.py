"""Mistakes in conditions, limits, approvals, lists and groups: each told at its place, with what to write."""

from pathlib import Path

import pytest

from tests.unit.marked_text import unmarked
from vaultsigner.config import ConfigProblems
from vaultsigner.policy import load

RULE = "{id: r, effect: allow}"


def when(condition: str) -> str:
    return f"version: 1\nlists: {{big: [BTCUSDT], odd: ['1', x]}}\nrules: [{{id: r, effect: allow, when: {condition}}}]"


def limit(member: str) -> str:
    return f"version: 1\nrules: [{{id: r, effect: allow, limits: [{member}]}}]"


def approvals(members: str) -> str:
    groups = "{risk: [user:ann, user:bob, client:bot], bots: [client:bot], one: [user:ann]}"
    return f"version: 1\ngroups: {groups}\nrules: [{{id: r, effect: allow, approvals: {members}}}]"


def denies(member: str) -> str:
    return f"version: 1\nrules: [{{id: r, effect: deny, {member}}}]"


WHEN = [
    ("{«symbl: {equals: BNB}}", "symbl", "not known here", "did you mean symbol?"),
    ("{«Amount: {max: '1'}}", "Amount", "not known here", "did you mean amount?"),
    ("{«toAddress: {equals: x}}", "toAddress", "not known here", "did you mean to_address?"),
    ("{symbol: «BNB}", "symbol", "a condition is a mapping", "{equals: BNB}"),
    ("{symbol: «[BNB]}", "symbol", "a condition is a mapping", "{in: $majors}"),
    ("{amount: «'5'}", "amount", "a condition is a mapping", '{max: "10000"}'),
    ("{symbol: «null}", "symbol", "a condition is a mapping", "{equals: BNB}"),
    ("{symbol: «{}}", "symbol", "asks nothing", "{equals: BNB}"),
    ("{symbol: {«is: BNB}}", "symbol.is", "not known here", "known here: equals, in, not_in"),
    ("{symbol: {«max: '5'}}", "symbol.max", "not known here", "equals"),
    ("{symbol: {«notin: [A]}}", "symbol.notin", "not known here", "did you mean not_in?"),
    ("{amount: {«maximum: '5'}}", "amount.maximum", "not known here", "equals"),
    ("{amount: {«abov: '5'}}", "amount.abov", "not known here", "did you mean above?"),
    ("{symbol: {in: «BNB}}", "symbol.in", "must be a list", "$name"),
    ("{symbol: {in: «$bigg}}", "symbol.in", "no list has this name", "did you mean big?"),
    ("{symbol: {in: «[]}}", "symbol.in", "list is empty", "at least one"),
    ("{symbol: {in: «{a: b}}}", "symbol.in", "must be a list", "[a, b]"),
    ("{symbol: {in: [A, «5]}}", "symbol.in[1]", "must be text", "quotes"),
    ("{symbol: {in: [A, «$big]}}", "symbol.in[1]", "a list inside a list", "entries"),
    ("{symbol: {not_in: [«'']}}", "symbol.not_in[0]", "empty or too long", "256"),
    ("{symbol: {equals: «5}}", "symbol.equals", "must be text", "quotes"),
    ("{symbol: {equals: «null}}", "symbol.equals", "must be text", "quotes"),
    ("{symbol: {equals: «$big}}", "symbol.equals", "a list inside a list", ""),
    ("{amount: {max: «100}}", "amount.max", "decimals are written as text", 'write "100"'),
    ("{amount: {max: «10.5}}", "amount.max", "another number or as text", '"10.5" in quotes'),
    ("{amount: {max: «.inf}}", "amount.max", "another number", '".inf" in quotes'),
    ("{amount: {max: «'inf'}}", "amount.max", "no finite decimal", '"250000"'),
    ("{amount: {max: «'NaN'}}", "amount.max", "no finite decimal", '"250000"'),
    ("{amount: {max: «'-1'}}", "amount.max", "no finite decimal", "no sign"),
    ("{amount: {max: «'1e999'}}", "amount.max", "no finite decimal", "30 characters"),
    (f"{{amount: {{max: «'{'1' * 31}'}}}}", "amount.max", "no finite decimal", "30 characters"),
    ("{amount: {max: «true}}", "amount.max", "no finite decimal", ""),
    ("{amount: {max: «null}}", "amount.max", "no finite decimal", ""),
    ("{amount: {in: ['1', «1_0]}}", "amount.in[1]", "another number", "quotes"),
    ("{amount: {in: ['1', «'1,0']}}", "amount.in[1]", "no finite decimal", ""),
    ("{amount: {in: «$odd}}", "amount.in", "an entry of $odd cannot stand here", "250000"),
    ("{ip: {in: [«10.0.0.1/8]}}", "ip.in[0]", "bits set behind its prefix", "10.0.0.0/8"),
    ("{ip: {in: [10.0.0.0/8, «10.0.0]}}", "ip.in[1]", "no address or network", "10.0.0.7"),
    ("{ip: {in: [«'::ffff:10.0.0.0/104']}}", "ip.in[0]", "IPv6 clothes", "IPv4"),
    ("{ip: {in: «$big}}", "ip.in", "an entry of $big cannot stand here", "10.0.0.7"),
    ("{ip: {«equals: 10.0.0.1}}", "ip.equals", "not known here", "in"),
    ("{ip: «10.0.0.1}", "ip", "a condition is a mapping", "{in: [10.0.0.0/8]}"),
    ("{time: {days: «mon-fry}}", "time.days", "no day of the week", "fri"),
    ("{time: {days: «Monday}}", "time.days", "no day of the week", "did you mean mon?"),
    ("{time: {days: «''}}", "time.days", "no day of the week", "mon-fri"),
    ("{time: {days: «'mon,'}}", "time.days", "no day of the week", "sat,sun"),
    ("{time: {days: «[mon, tue]}}", "time.days", "must be text", ""),
    ("{time: {from: «08:00}}", "time.from", "another number or as text", '"08:00" in quotes'),
    ("{time: {from: «12:30:45}}", "time.from", "another number or as text", '"12:30:45" in quotes'),
    ("{time: {from: «'12:30:45'}}", "time.from", "no time of day", '"08:00"'),
    ("{time: {from: «'8:00'}}", "time.from", "no time of day", '"08:00"'),
    ("{time: {from: «'24:00'}}", "time.from", "no time of day", '"23:59"'),
    ("{time: {to: «'24:01'}}", "time.to", "no time of day", '"24:00"'),
    ("{time: {to: «'12:60'}}", "time.to", "no time of day", '"24:00"'),
    ("{time: «{from: '08:00', to: '08:00'}}", "time", "ends when it begins", "whole day"),
    ("{time: «{zone: UTC}}", "time", "a zone alone", "days"),
    (
        "{time: {days: mon, zone: «Europe/Zurch}}",
        "time.zone",
        "no such time zone",
        "did you mean Europe/Zurich?",
    ),
    (
        "{time: {days: mon, zone: «europe/zurich}}",
        "time.zone",
        "no such time zone",
        "did you mean Europe/Zurich?",
    ),
    ("{time: {days: mon, zone: «zurich}}", "time.zone", "no such time zone", "did you mean Europe/Zurich?"),
    ("{time: {days: mon, zone: «New York}}", "time.zone", "no such time zone", "America/New_York?"),
    ("{time: {days: mon, zone: «localtime}}", "time.zone", "no such time zone", ""),
    ("{time: {days: mon, zone: «../../etc/passwd}}", "time.zone", "no such time zone", ""),
    ("{time: {days: mon, zone: «'+01:00'}}", "time.zone", "no such time zone", "Europe/Zurich"),
    ("«{}", "", "no condition in it", "leave `when` out"),
    ("«null", "", "nothing here", "leave the member out"),
    ("«[symbol]", "", "must be a mapping", "name: value"),
]
LIMITS = [
    ("«{every: 1m}", "", "neither counts nor sums", "{count: 60, every: 1m}"),
    ("«{count: 1, sum: amount, max: '1', every: 1m}", "", "counts or sums, not both", "{count: 60"),
    ("«{sum: amount, every: 1m}", "", '"max" is missing', "sum: amount"),
    ("«{count: 1, max: '1', every: 1m}", "", "`max` belongs to `sum`", "{count: 60"),
    ("«{count: 1}", ".every", "is missing", "every:"),
    ("{count: «0, every: 1m}", ".count", "at least 1", ""),
    ("{count: «-5, every: 1m}", ".count", "at least 1", ""),
    ("{count: «'5', every: 1m}", ".count", "whole number", "without quotes"),
    ("{count: «5.0, every: 1m}", ".count", "whole number", "without quotes"),
    ("{count: «010, every: 1m}", ".count", "whole number", "leading zero"),
    ("{count: «null, every: 1m}", ".count", "whole number", ""),
    ("{sum: «amuont, max: '1', every: 1m}", ".sum", "no field with numbers", "did you mean amount?"),
    ("{sum: «symbol, max: '1', every: 1m}", ".sum", "no field with numbers", "known here"),
    ("{sum: amount, max: «'0', every: 1m}", ".max", "lets nothing through", "deny rule"),
    ("{sum: amount, max: «5, every: 1m}", ".max", "written as text", 'write "5"'),
    ("{count: 5, every: «0s}", ".every", "no length of time", "at least 1s"),
    ("{count: 5, every: «367d}", ".every", "no length of time", "at most 366d"),
    ("{count: 5, every: «1w}", ".every", "no length of time", "7d"),
    ("{count: 5, every: «60}", ".every", "no length of time", "1m"),
    ("{count: 5, every: «'01m'}", ".every", "no length of time", "1m"),
    ("{count: 5, every: «minute}", ".every", "no length of time", "1m"),
    ("{count: 5, every: 1m, per: «user}", ".per", "per principal, target or rule", "principal"),
    ("{count: 5, every: 1m, per: «wallet}", ".per", "per principal, target or rule", "target"),
    ("{count: 5, every: 1m, «each: user}", ".each", "not known here", "count"),
]
APPROVALS = [
    ("{count: 2, of: [«group:rsk], within: 1h}", ".of[0]", "no group has this name", "did you mean risk?"),
    (
        "{count: «3, of: [group:risk], within: 1h}",
        ".count",
        "3 approvals are asked for, and 2 users",
        "smaller count",
    ),
    (
        "{count: «2, of: [user:ann, group:one], within: 1h}",
        ".count",
        "2 approvals are asked for, and 1 users",
        "more users",
    ),
    ("{count: «1, of: [group:bots], within: 1h}", ".count", "and no users may give them", "groups of users"),
    ("{count: «0, of: [user:ann], within: 1h}", ".count", "at least 1", ""),
    ("{count: 1, of: [«client:bot], within: 1h}", ".of[0]", "only group:NAME or user:NAME", ""),
    ("{count: 1, of: [«'*'], within: 1h}", ".of[0]", "only group:NAME or user:NAME", ""),
    ("{count: 1, of: «[], within: 1h}", ".of", "list is empty", ""),
    ("{count: 1, of: [user:ann], within: «0m}", ".within", "no length of time", ""),
    ("«{count: 1, of: [user:ann]}", ".within", "is missing", ""),
    ("«null", "", "nothing here", "leave the member out"),
]
OTHERS = [
    (denies("limits: «[{count: 1, every: 1m}]"), "rules[0].limits", "a deny rule has no limits", "remove it"),
    (
        denies("approvals: «{count: 1, of: [user:a], within: 1h}"),
        "rules[0].approvals",
        "no approvals",
        "remove",
    ),
    (denies("expires: «2027-06-30"), "rules[0].expires", "nothing may open by itself", "effect: allow"),
    (
        "version: 1\nrules: [{id: r, effect: allow, expires: «2027-06-31}]",
        "rules[0].expires",
        "no such day",
        "2027",
    ),
    (
        "version: 1\nrules: [{id: r, effect: allow, expires: «20270630}]",
        "rules[0].expires",
        "must be text",
        "",
    ),
    (
        "version: 1\nrules: [{id: r, effect: allow, expires: «2027-06-30T10:00:00}]",
        "rules[0].expires",
        "no such",
        "",
    ),
    (
        "version: 1\nrules: [{id: r, effect: allow, expires: «June}]",
        "rules[0].expires",
        "no such day",
        "2027-06-30",
    ),
    ("version: 1\nrules: [{id: r, effect: allow, expires: «null}]", "rules[0].expires", "nothing here", ""),
    (f"version: 1\nlists: {{a: «[]}}\nrules: [{RULE}]", "lists.a", "list is empty", ""),
    (f"version: 1\nlists: {{a: «BNB}}\nrules: [{RULE}]", "lists.a", "must be a list", ""),
    (f"version: 1\nlists: {{a: [«5]}}\nrules: [{RULE}]", "lists.a[0]", "must be text", ""),
    (f"version: 1\nlists: {{a: [«2027-06-30]}}\nrules: [{RULE}]", "lists.a[0]", "a date", "in quotes"),
    (f"version: 1\nlists: {{«a b: [x]}}\nrules: [{RULE}]", "lists.?", "no usable name", "64 letters"),
    (f"version: 1\nlists: «[a]\nrules: [{RULE}]", "lists", "must be a mapping", ""),
    (
        f"version: 1\ngroups: {{g: [«sam]}}\nrules: [{RULE}]",
        "groups.g[0]",
        "only user:NAME or client:NAME",
        "user:sam",
    ),
    (
        f"version: 1\ngroups: {{g: [«group:h]}}\nrules: [{RULE}]",
        "groups.g[0]",
        "only user:NAME or client:NAME",
        "",
    ),
    (f"version: 1\ngroups: {{g: [«'user:*']}}\nrules: [{RULE}]", "groups.g[0]", "only user:NAME", ""),
    (f"version: 1\ngroups: {{g: «[]}}\nrules: [{RULE}]", "groups.g", "list is empty", ""),
    (
        "version: 1\ngroups: {desk: [user:a]}\nrules: [{id: r, effect: deny, principals: [«group:dsk]}]",
        "rules[0].principals[0]",
        "no group has this name",
        "did you mean desk?",
    ),
]
WRONG = [
    *(
        (when(text), f"rules[0].when.{where}".rstrip("."), message, hint)
        for text, where, message, hint in WHEN
    ),
    *((limit(text), f"rules[0].limits[0]{where}", message, hint) for text, where, message, hint in LIMITS),
    *(
        (approvals(text), f"rules[0].approvals{where}", message, hint)
        for text, where, message, hint in APPROVALS
    ),
    *OTHERS,
]


@pytest.mark.parametrize(("marked", "where", "message", "hint"), WRONG)
def test_each_mistake_is_told_at_its_place(
    tmp_path: Path, marked: str, where: str, message: str, hint: str
) -> None:
    text, line, column = unmarked(marked)
    (tmp_path / "desk.yml").write_text(text)
    with pytest.raises(ConfigProblems) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == (str(tmp_path / "desk.yml"), line, column)
    assert problem.where == where
    assert message in problem.message
    assert hint in problem.hint
