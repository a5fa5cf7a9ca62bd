//! Types of `domain` that have not landed yet, with the names and shapes they will have there.

/// `domain::text`.
pub mod text {
    /// Two texts compared.
    #[derive(Clone, Debug, Default)]
    pub struct TextDiff;
}

/// `domain::push`.
pub mod push {
    use crate::domain::inspect::Inspection;
    use crate::domain::mutation::{Cursor, QueueId};
    use crate::domain::resolution::{Resolution, Unit};

    /// A request of the push, or its answer.
    #[derive(Clone, Debug)]
    pub enum Note {
        /// A POST leaves.
        Sending {
            /// Which POST, from 1.
            post: usize,
            /// Of how many.
            of: usize,
            /// How many mutations it carries.
            mutations: usize,
            /// The head it carries.
            head: Cursor,
        },
        /// A POST was answered 200.
        Acknowledged {
            /// Which POST.
            post: usize,
            /// The new head.
            head: Cursor,
        },
        /// A POST was refused.
        Refused {
            /// Which POST.
            post: usize,
            /// The HTTP status.
            status: u16,
            /// The server's code.
            code: String,
        },
        /// A POST's answer was lost.
        Lost {
            /// Which POST.
            post: usize,
        },
        /// A pull leaves.
        Pulling {
            /// `mutationsSince`.
            since: Cursor,
        },
        /// A pull was answered.
        Pulled {
            /// The head.
            head: Cursor,
            /// Mutations that were not there before.
            new: usize,
        },
        /// A pause before the next try.
        Waiting {
            /// For how long.
            ms: u64,
            /// Why.
            why: String,
        },
        /// Mutations that the server does not take stay behind.
        Quarantined {
            /// Which.
            ids: Vec<QueueId>,
            /// The server's words.
            message: String,
        },
        /// The device file was written back.
        Wrote,
    }

    /// How a push ended.
    #[derive(Debug)]
    pub enum End {
        /// Nothing is open.
        Done,
        /// Open, held or quarantined mutations remain.
        Left,
        /// The head moved: choices that no longer fit were reopened.
        Reopened {
            /// The newer inspection.
            inspection: Box<Inspection>,
            /// The choices that still stand.
            resolution: Resolution,
            /// What was reopened.
            reopened: Vec<Unit>,
        },
        /// The server asks for -1 (PROTOCOL D1).
        FirstSync(String),
        /// The server refused.
        Refused(String),
        /// The server cannot be reached.
        Unreachable(String),
        /// It cannot be told what the server did.
        Unknown {
            /// The mutations in doubt.
            in_doubt: Vec<QueueId>,
        },
        /// Others keep writing.
        HeadKeepsMoving,
        /// A person stopped it between two POSTs.
        Cancelled,
    }
}
