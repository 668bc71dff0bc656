//! The answer to "what does this text say of this case on this day?".

use crate::date::Date;
use crate::expr::Tri;
use crate::vocabulary::{FactId, Value};

/// What a text can say of a case; several hold side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Conclusion {
    /// Refused by our own floor, whatever the text says.
    Floor,
    /// A practice the text bans.
    Prohibited,
    /// A lawful system used in a way the text forbids.
    ForbiddenUse,
    /// A duty is not kept in the case as told.
    Breach,
    /// Banned unless conditions are met, and they are.
    PermittedOnConditions,
    /// A high-risk system.
    HighRisk,
    /// Duties to tell people.
    Transparency,
    /// A general-purpose model with systemic risk.
    GpaiSystemic,
    /// A general-purpose model.
    Gpai,
    /// Nothing of the above.
    Minimal,
    /// Outside the text.
    OutOfScope,
    /// This rulebook does not model what the draft says here.
    NotModelled,
}

impl Conclusion {
    /// All of them, gravest first.
    pub const ALL: [Self; 12] = [
        Self::Floor,
        Self::Prohibited,
        Self::ForbiddenUse,
        Self::Breach,
        Self::PermittedOnConditions,
        Self::HighRisk,
        Self::Transparency,
        Self::GpaiSystemic,
        Self::Gpai,
        Self::Minimal,
        Self::OutOfScope,
        Self::NotModelled,
    ];

    /// As written in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Prohibited => "prohibited",
            Self::ForbiddenUse => "forbidden_use",
            Self::Breach => "breach",
            Self::PermittedOnConditions => "permitted_on_conditions",
            Self::HighRisk => "high_risk",
            Self::Transparency => "transparency",
            Self::GpaiSystemic => "gpai_systemic",
            Self::Gpai => "gpai",
            Self::Minimal => "minimal",
            Self::OutOfScope => "out_of_scope",
            Self::NotModelled => "not_modelled",
        }
    }

    /// The one of that name.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.id() == id)
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Floor => "refused by Placet's own floor",
            Self::Prohibited => "prohibited",
            Self::ForbiddenUse => "a forbidden use of a lawful system",
            Self::Breach => "a duty is breached",
            Self::PermittedOnConditions => "permitted on conditions",
            Self::HighRisk => "high-risk",
            Self::Transparency => "transparency duties",
            Self::GpaiSystemic => "general-purpose AI model with systemic risk",
            Self::Gpai => "general-purpose AI model",
            Self::Minimal => "minimal risk",
            Self::OutOfScope => "out of scope",
            Self::NotModelled => "not modelled",
        }
    }
}

impl Conclusion {
    /// That it does not hold, in words.
    pub fn denied(self) -> String {
        match self {
            Self::Floor => "not refused by Placet's own floor".to_owned(),
            Self::ForbiddenUse => "no forbidden use".to_owned(),
            Self::Breach => "no duty is breached".to_owned(),
            Self::Transparency => "no transparency duties".to_owned(),
            Self::GpaiSystemic | Self::Gpai => format!("no {}", self.words()),
            _ => format!("not {}", self.words()),
        }
    }
}

/// From when something counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It applies on the day of the question, since that day.
    Since(Date),
    /// It applies from a later day.
    From(Date),
    /// It applies and has no day of its own: it goes with what it bears on.
    Undated,
    /// The text never became law.
    NeverLaw,
}

impl When {
    /// Whether it counts on the day of the question (for a draft: whether it would).
    pub fn now(self) -> bool {
        !matches!(self, Self::From(_))
    }
}

/// The place a sentence rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// Rule id.
    pub rule: String,
    /// `Art. 5(1)(h)`.
    pub cite: String,
    /// In plain words.
    pub says: String,
    /// How well it is backed: text, fragment, secondary, memory, derived.
    pub confidence: String,
    /// Ids of readings of ours it rests on.
    pub readings: Vec<String>,
    /// From when it applies.
    pub when: When,
    /// The rule is ours, not the law's.
    pub floor: bool,
    /// Where the official text stands.
    pub eli: Option<String>,
}

/// One conclusion that holds or may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concluded {
    /// What is concluded.
    pub conclusion: Conclusion,
    /// Yes, or `None` if facts are missing; what does not hold is not listed.
    pub holds: Tri,
    /// From when; the earliest of its grounds.
    pub when: When,
    /// The rules it rests on: satisfied ones where it holds, open ones where it may.
    pub grounds: Vec<Ground>,
}

/// A way out of a rule that bites or may bite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayOut {
    /// The rule that opens it.
    pub ground: Ground,
    /// The rules it is a way out of.
    pub of: Vec<String>,
    /// Whether its own aim fits.
    pub fits: Tri,
    /// Whether it lifts them: its aim fits and its conditions are met.
    pub lifts: Tri,
}

/// How a condition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Met.
    Met,
    /// Not met.
    Broken,
    /// A fact is missing.
    Open,
    /// Not required yet.
    NotYet,
}

/// One condition of an exemption from a ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The rule.
    pub ground: Ground,
    /// The rules it is a condition of.
    pub of: Vec<String>,
    /// How it stands.
    pub standing: Standing,
    /// What would mend it.
    pub remedy: Option<String>,
}

/// How a duty stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// It binds.
    Now,
    /// It binds from that day.
    From(Date),
    /// It does not bind, by that rule, until that day if there is one.
    Lifted {
        /// The rule.
        by: Ground,
        /// The day it ends.
        until: Option<Date>,
    },
    /// A fact is missing.
    Open,
    /// It would bind, had the text become law.
    Draft,
}

/// A duty somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyDue {
    /// Id in `duties.toml`.
    pub id: String,
    /// Who has it.
    pub who: String,
    /// What must be done.
    pub what: String,
    /// Where it stands.
    pub article: String,
    /// By when, in words.
    pub deadline: Option<String>,
    /// How it stands.
    pub binding: Binding,
    /// The rules that bring it.
    pub because: Vec<String>,
    /// How well it is backed.
    pub confidence: String,
}

/// A fine that may follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fine {
    /// Id in `fines.toml`.
    pub id: String,
    /// Where it stands.
    pub article: String,
    /// In words.
    pub says: String,
    /// Ceiling in euro.
    pub eur: i64,
    /// Ceiling in hundredths of a percent of the yearly turnover.
    pub percent_hundredths: i64,
    /// Which of the two small and medium firms owe at most: "higher", "lower", or in words.
    pub sme: String,
    /// The same for small mid-caps.
    pub smc: String,
    /// From when.
    pub when: When,
    /// How well it is backed.
    pub confidence: String,
}

impl Fine {
    /// The ceiling in words.
    pub fn ceiling(&self) -> String {
        let millions = self.eur / 10_000;
        let eur = match millions % 100 {
            0 => format!("EUR {} million", millions / 100),
            rest => format!("EUR {}.{:02} million", millions / 100, rest),
        };
        if self.percent_hundredths == 0 {
            return format!("up to {eur}");
        }
        let percent = match self.percent_hundredths % 100 {
            0 => format!("{} %", self.percent_hundredths / 100),
            rest => format!("{}.{rest:02} %", self.percent_hundredths / 100),
        };
        let mut out = format!(
            "up to {eur} or, for undertakings, {percent} of the yearly turnover worldwide, whichever is higher"
        );
        let lower = |word: &str| word == "lower";
        match (self.sme.as_str(), self.smc.as_str()) {
            (sme, smc) if lower(sme) && lower(smc) => {
                out.push_str("; small and medium firms and small mid-caps: whichever is lower")
            }
            (sme, _) if lower(sme) => out.push_str("; small and medium firms: whichever is lower"),
            ("higher", _) => {}
            (words, _) => {
                out.push_str("; small and medium firms: ");
                out.push_str(words);
            }
        }
        out
    }
}

/// Another law that bites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Id in `neighbours.toml`.
    pub id: String,
    /// Where it stands.
    pub article: String,
    /// In words.
    pub says: String,
    /// How well it is backed.
    pub confidence: String,
}

/// A change of one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The fact.
    pub fact: FactId,
    /// What it is now, if known.
    pub from: Option<Value>,
    /// What it would have to be.
    pub to: Value,
}

/// Facts that would settle an open conclusion, or change one that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The conclusion.
    pub conclusion: Conclusion,
    /// Whether it would then hold.
    pub holds: bool,
    /// The changes; every one is needed.
    pub changes: Vec<Change>,
    /// What the case would then be.
    pub then: Vec<Conclusion>,
}

/// What was taken for granted of a fact nobody mentioned, since the reader said that the rest is not so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumed {
    /// The fact.
    pub fact: FactId,
    /// Its ordinary value.
    pub value: Value,
    /// A refusal may hang on it: a ban, a forbidden use, a breach, the floor.
    pub grave: bool,
}

/// Whether the text is law on the day of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Law on that day.
    Law,
    /// Law from a later day.
    NotYet(Date),
    /// Replaced since that day.
    Replaced(Date),
    /// A proposal or position that never became law.
    Never,
}

/// The answer in one word; it decides the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing forbids it on that day.
    Allowed,
    /// Prohibited, a forbidden use, a breach, or refused by the floor.
    Refused,
    /// Facts are missing, or what the text says here is not modelled.
    CannotSay,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The text asked.
    pub text: String,
    /// Its name.
    pub title: String,
    /// The day of the question.
    pub as_of: Date,
    /// Whether the text is law that day.
    pub force: Force,
    /// In one word.
    pub outcome: Outcome,
    /// What the reader lets be taken for granted; empty unless he asked for it.
    pub assumed: Vec<Assumed>,
    /// What holds or may hold, gravest first.
    pub conclusions: Vec<Concluded>,
    /// The ways out that fit or may fit, each with the rules it is a way out of.
    pub exemptions: Vec<WayOut>,
    /// The conditions of bans that bite.
    pub conditions: Vec<Condition>,
    /// Duties.
    pub duties: Vec<DutyDue>,
    /// Fines.
    pub fines: Vec<Fine>,
    /// Neighbouring law.
    pub neighbours: Vec<Neighbour>,
    /// Facts not known on which something hangs, those that can still change most first.
    pub open: Vec<FactId>,
    /// Ways to settle what is open, the shortest first.
    pub missing: Vec<Way>,
    /// The smallest changes that would flip what holds.
    pub flips: Vec<Way>,
    /// Readings of ours it rests on: id and what we read.
    pub readings: Vec<(String, String)>,
    /// Remarks about facts, such as a national law asserted but not known here.
    pub remarks: Vec<String>,
    /// Digest of the rulebook that answered.
    pub rulebook: placet_core::Digest,
}

impl Verdict {
    /// Whether it holds (today or later), is open, or does not hold.
    pub fn state(&self, conclusion: Conclusion) -> Tri {
        self.conclusions.iter().find(|c| c.conclusion == conclusion).map_or(Some(false), |c| c.holds)
    }

    /// The answer in one sentence.
    pub fn sentence(&self) -> &'static str {
        match self.outcome {
            Outcome::Refused if !self.law_refuses() => {
                if self.conclusions.iter().any(|c| c.holds.is_none()) {
                    "Placet itself would not do this, whatever the law says (our own floor); of the law we cannot say yet"
                } else {
                    "Placet itself would not do this, whatever the law says (our own floor); the text alone does not \
                     forbid the case as told"
                }
            }
            Outcome::Refused => "the case as told is against this text",
            Outcome::CannotSay if self.conclusions.iter().any(|c| c.holds.is_none()) => {
                "cannot say until the facts that are missing are known"
            }
            Outcome::CannotSay => {
                "cannot say: what this draft says here is not modelled, and we do not guess"
            }
            Outcome::Allowed if self.state(Conclusion::PermittedOnConditions) == Some(true) => {
                "nothing in this text forbids the case as told: every condition asked for is met"
            }
            Outcome::Allowed => "nothing in this text forbids the case as told",
        }
    }

    /// The answer in one sentence, with what it takes for granted.
    pub fn answer(&self) -> String {
        match self.assumed.len() {
            0 => self.sentence().to_owned(),
            _ => format!("{}, if what was not mentioned is not so", self.sentence()),
        }
    }

    fn law_refuses(&self) -> bool {
        [Conclusion::Prohibited, Conclusion::ForbiddenUse, Conclusion::Breach]
            .into_iter()
            .any(|c| self.holds_now(c))
    }

    /// Whether it holds and applies on the day of the question.
    pub fn holds_now(&self, conclusion: Conclusion) -> bool {
        self.conclusions.iter().any(|c| c.conclusion == conclusion && c.holds == Some(true) && c.when.now())
    }
}
