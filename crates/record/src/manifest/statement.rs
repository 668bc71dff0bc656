use super::{Audio, Manifest, Metadata, Verify};

/// A sentence that has to be said along with the figures. Which of them a manifest carries follows from its other
/// values, so none can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Statement {
    /// Only what the detector found is covered.
    CoversWhatWasFound,
    /// Redaction is not anonymity.
    NotAnonymous,
    /// Nothing was checked.
    CheckedNothing,
    /// Part of the output was checked.
    CheckedSample,
    /// All of the output was checked.
    CheckedAll,
    /// The fill can be undone.
    Reversible,
    /// Somebody was left visible on purpose.
    LeftVisible,
    /// The sound was kept.
    VoicesIdentify,
    /// Metadata was kept.
    MetadataKept,
    /// What a signature proves.
    SignedStatement,
}

impl Statement {
    /// The statement's name in a manifest.
    pub fn key(self) -> &'static str {
        match self {
            Self::CoversWhatWasFound => "covers-what-was-found",
            Self::NotAnonymous => "not-anonymous",
            Self::CheckedNothing => "checked-nothing",
            Self::CheckedSample => "checked-sample",
            Self::CheckedAll => "checked-all",
            Self::Reversible => "reversible",
            Self::LeftVisible => "left-visible",
            Self::VoicesIdentify => "voices-identify",
            Self::MetadataKept => "metadata-kept",
            Self::SignedStatement => "signed-statement",
        }
    }

    /// The statement in words.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::CoversWhatWasFound => {
                "Faces the detector found are covered; a face it did not find can be visible, and small ones are \
                 missed more often."
            }
            Self::NotAnonymous => "Gait, clothes, places and company can still tell who a person is.",
            Self::CheckedNothing => "No second detector looked at the output.",
            Self::CheckedSample => {
                "A second detector looked at some frames of the output, not at all of them."
            }
            Self::CheckedAll => "A second detector looked at every frame of the output.",
            Self::Reversible => "Faces were blurred or pixelated, which published attacks can undo in part.",
            Self::LeftVisible => "Some people were left visible on purpose.",
            Self::VoicesIdentify => "Sound was kept where there was any; a voice identifies its speaker.",
            Self::MetadataKept => "Metadata such as place and device was kept where there was any.",
            Self::SignedStatement => {
                "The signature proves who stated this and that it was not changed since, not that it is true."
            }
        }
    }

    pub(super) fn of(manifest: &Manifest) -> Vec<Self> {
        let settings = &manifest.settings;
        let checked = match settings.verify {
            Verify::None => Self::CheckedNothing,
            Verify::Sample => Self::CheckedSample,
            Verify::Full => Self::CheckedAll,
        };
        let on_condition = [
            (settings.fill.is_reversible(), Self::Reversible),
            (!settings.tracks_left_visible.is_empty(), Self::LeftVisible),
            (settings.audio == Audio::Keep, Self::VoicesIdentify),
            (settings.metadata == Metadata::Kept, Self::MetadataKept),
        ];
        [Self::CoversWhatWasFound, Self::NotAnonymous, checked]
            .into_iter()
            .chain(on_condition.into_iter().filter_map(|(holds, statement)| holds.then_some(statement)))
            .chain([Self::SignedStatement])
            .collect()
    }
}
