//! The next question: only a fact that can still change the answer.

use crate::book::{Rulebook, TextId};
use crate::date::Date;
use crate::decide::DecideError;
use crate::facts::{Facts, askable};
use crate::settle::open;
use crate::vocabulary::FactId;

impl Rulebook {
    /// The facts that can still change what any of the texts says, in the order in which to ask: what a question
    /// hangs on comes before it. Facts in `skipped` ("don't know") are left out with all that hang on them.
    ///
    /// # Errors
    /// If there is no such text, or it did not exist on that day.
    pub fn open_questions(
        &self,
        facts: &Facts,
        texts: &[TextId],
        as_of: Date,
        skipped: &[FactId],
    ) -> Result<Vec<FactId>, DecideError> {
        let vocabulary = self.vocabulary();
        let mut out = Vec::new();
        for text in texts {
            let case = self.case(facts, *text, as_of)?;
            for fact in open(&case) {
                // Ask what it hangs on first.
                let mut top = fact;
                let mut skip = skipped.contains(&top);
                while let Some((parent, _)) =
                    vocabulary.fact(top).only_if.as_ref().filter(|(p, _)| case.value(*p).is_none())
                {
                    top = *parent;
                    skip |= skipped.contains(&top);
                }
                if !skip && askable(vocabulary, top) {
                    out.push(top);
                }
            }
        }
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    /// The next question to ask, if any answer can still change.
    ///
    /// # Errors
    /// As [`Rulebook::open_questions`].
    pub fn next_question(
        &self,
        facts: &Facts,
        texts: &[TextId],
        as_of: Date,
        skipped: &[FactId],
    ) -> Result<Option<FactId>, DecideError> {
        Ok(self.open_questions(facts, texts, as_of, skipped)?.into_iter().next())
    }
}
