# Sentences of the program in English. One line each: key = sentence. Rules carry their own sentence in @says.

conclusion-floor = Placet itself refuses this, whatever the law allows.
conclusion-prohibited = This is a prohibited practice.
conclusion-forbidden-use = The system may exist, but not be used in this way.
conclusion-breach = A duty was not kept.
conclusion-permitted-on-conditions = This is prohibited unless every condition below is met, and they are met.
conclusion-high-risk = This is a high-risk system.
conclusion-transparency = People must be told.
conclusion-gpai = This is a general-purpose AI model.
conclusion-gpai-systemic = This is a general-purpose AI model with systemic risk.
conclusion-minimal = The Act asks nothing special of this.
conclusion-out-of-scope = The Act does not reach this.
conclusion-not-modelled = We have not seen what this draft says here, and do not guess.

outcome-allowed = Nothing forbids it on that day.
outcome-refused = It is refused.
outcome-cannot-say = We cannot say until the facts below are known.

force-law = This text is law on that day.
force-not-yet = This text becomes law on a later day.
force-replaced = This text has been replaced.
force-never = This text never became law.

standing-met = met
standing-broken = not met
standing-open = not known
standing-not-yet = not required yet

confidence-text = checked against the official text
confidence-fragment = seen in part, as others reproduce it
confidence-secondary = from secondary sources, not checked against the official text
confidence-memory = from memory, not checked against the official text
confidence-derived = our own application of the rules

reading = This rests on a reading of ours that goes beyond the words.
floor-ours = This rule is ours, not the law's.
asserted = An open legal word: a named person answers for it.
self-issued = Self-issued, not a court.
not-advice = The Official Journal prevails. This is no legal advice.
state-closed = We know of no law of this Member State that allows it; until somebody adds one, it is closed.
draft-never-law = A draft: nobody was ever bound by it.
