//! Who reads a table.

/// Who reads a table (`--format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableFormat {
    /// People.
    #[default]
    Human,
    /// Programs.
    Json,
    /// Spreadsheets.
    Csv,
}

impl TableFormat {
    /// The three, in the order in which help lists them.
    pub const ALL: [Self; 3] = [Self::Human, Self::Json, Self::Csv];

    /// The word in arguments.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}
