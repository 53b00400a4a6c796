//! Lifecycles as state machines: which states a record may stand in, and which events lead from one to another.
//!
//! In: a state and an event. Out: the next state, or [`IllegalTransition`]. Not here: who may cause an event
//! (`access`), when it happens.
//!
//! Source: the founding documents and the Home Office's description of the programme; a closure is typed and is
//! proved by a check-back, a line that is seen again after it is open again.

/// An event that a state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{lifecycle}: {event:?} is not possible from {state:?}; possible are {}", .possible.join(", "))]
pub struct IllegalTransition {
    /// The lifecycle.
    pub lifecycle: &'static str,
    /// The state it was in.
    pub state: &'static str,
    /// The event that is refused.
    pub event: &'static str,
    /// The events that the state allows.
    pub possible: Vec<&'static str>,
}

/// Makes the states and events of one lifecycle with their words, and its transitions from a table.
macro_rules! lifecycle {
    (
        $(#[$about:meta])*
        $name:literal $State:ident $Event:ident
        states { $($(#[$state_doc:meta])* $state:ident = $state_word:literal),+ $(,)? }
        events { $($(#[$event_doc:meta])* $event:ident = $event_word:literal),+ $(,)? }
        transitions { $($from:ident + $by:ident => $to:ident),+ $(,)? }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $State { $($(#[$state_doc])* $state),+ }

        #[doc = concat!("What can happen to a ", $name, ".")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $Event { $($(#[$event_doc])* $event),+ }

        impl $Event {
            /// All events.
            pub const ALL: &[Self] = &[$(Self::$event),+];

            /// The event's word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$event => $event_word),+ }
            }
        }

        impl $State {
            /// All states.
            pub const ALL: &[Self] = &[$(Self::$state),+];

            /// The word that stands in records.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$state => $state_word),+ }
            }

            /// The state of a word, `None` for an unknown one.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.as_str() == word)
            }

            /// The state that the event leads to.
            ///
            /// # Errors
            /// [`IllegalTransition`] if it leads nowhere.
            pub fn after(self, event: $Event) -> Result<Self, IllegalTransition> {
                match (self, event) {
                    $((Self::$from, $Event::$by) => Ok(Self::$to),)+
                    _ => Err(IllegalTransition {
                        lifecycle: $name,
                        state: self.as_str(),
                        event: event.as_str(),
                        possible: self.possible().into_iter().map($Event::as_str).collect(),
                    }),
                }
            }

            /// The events that the state allows.
            #[must_use]
            pub fn possible(self) -> Vec<$Event> {
                let mut out = Vec::new();
                $(if self == Self::$from { out.push($Event::$by); })+
                out
            }
        }
    };
}

lifecycle! {
    /// Where a deal line stands.
    "line" LineState LineEvent
    states {
        /// Reported, not confirmed.
        Suspected = "suspected",
        /// Confirmed and seen lately.
        Active = "active",
        /// No evidence for sixty days.
        Dormant = "dormant",
        /// Closed; the number has yet to be tried again.
        ClosedPendingCheckBack = "closed pending check-back",
        /// Closed, and still dead at the check-back.
        Closed = "closed",
        /// Seen running after a closure.
        Reopened = "reopened",
        /// Found to be another line.
        Merged = "merged",
        /// Found to be no line.
        Discredited = "discredited",
    }
    events {
        /// Evidence proves it.
        Confirm = "confirm",
        /// Sixty days without evidence.
        FallSilent = "fall silent",
        /// Evidence after a silence.
        SeeAgain = "see again",
        /// It is closed.
        Close = "close",
        /// The number is dead at the check-back.
        PassCheckBack = "pass check-back",
        /// It runs again.
        Reopen = "reopen",
        /// It is the same as another.
        Merge = "merge",
        /// It never was.
        Discredit = "discredit",
    }
    transitions {
        Suspected + Confirm => Active,
        Suspected + Merge => Merged,
        Suspected + Discredit => Discredited,
        Active + FallSilent => Dormant,
        Active + Close => ClosedPendingCheckBack,
        Active + Merge => Merged,
        Active + Discredit => Discredited,
        Dormant + SeeAgain => Active,
        Dormant + Close => ClosedPendingCheckBack,
        Dormant + Merge => Merged,
        Dormant + Discredit => Discredited,
        ClosedPendingCheckBack + PassCheckBack => Closed,
        ClosedPendingCheckBack + Reopen => Reopened,
        Closed + Reopen => Reopened,
        Reopened + FallSilent => Dormant,
        Reopened + Close => ClosedPendingCheckBack,
        Reopened + Merge => Merged,
        Reopened + Discredit => Discredited,
    }
}

impl LineState {
    /// Whether the line counts as running.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Suspected | Self::Active | Self::Reopened)
    }
}

lifecycle! {
    /// Where a closure stands.
    "closure" ClosureState ClosureEvent
    states {
        /// The number has yet to be tried again.
        PendingCheckBack = "pending check-back",
        /// The number was dead at the check-back.
        Confirmed = "confirmed",
        /// The line runs again: the closure no longer holds.
        Reopened = "reopened",
    }
    events {
        /// The number is dead at the check-back.
        PassCheckBack = "pass check-back",
        /// The line runs again.
        Reopen = "reopen",
    }
    transitions {
        PendingCheckBack + PassCheckBack => Confirmed,
        PendingCheckBack + Reopen => Reopened,
        Confirmed + Reopen => Reopened,
    }
}

lifecycle! {
    /// Where a drug dealing telecommunications restriction order for a number stands.
    "restriction" RestrictionState RestrictionEvent
    states {
        /// Nobody has asked for one.
        None = "none",
        /// A superintendent or above has applied to a court.
        Applied = "applied",
        /// The court has granted it.
        Granted = "granted",
        /// The provider has cut the number off.
        Served = "served",
        /// The court has refused it.
        Refused = "refused",
        /// The number was dead before it was served, or its time is over.
        Expired = "expired",
    }
    events {
        /// An application is made.
        Apply = "apply",
        /// The court grants it.
        Grant = "grant",
        /// The court refuses it.
        Refuse = "refuse",
        /// The provider cuts the number off.
        Serve = "serve",
        /// It has run out.
        Expire = "expire",
    }
    transitions {
        None + Apply => Applied,
        Applied + Grant => Granted,
        Applied + Refuse => Refused,
        Applied + Expire => Expired,
        Granted + Serve => Served,
        Granted + Expire => Expired,
        Served + Expire => Expired,
        Refused + Apply => Applied,
    }
}

lifecycle! {
    /// Where a cuckooed address stands.
    "address" AddressState AddressEvent
    states {
        /// Somebody has said so.
        Reported = "reported",
        /// It is taken over.
        Confirmed = "confirmed",
        /// The occupant is safe.
        Safeguarded = "safeguarded",
        /// Visited from time to time.
        Monitored = "monitored",
        /// Nothing more to do.
        Closed = "closed",
        /// Taken over again.
        Recurrence = "recurrence",
    }
    events {
        /// The take-over is proved.
        Confirm = "confirm",
        /// The occupant is made safe.
        Safeguard = "safeguard",
        /// Visits go on.
        Monitor = "monitor",
        /// Visits end, or the report was wrong.
        Close = "close",
        /// It happens again.
        Recur = "recur",
    }
    transitions {
        Reported + Confirm => Confirmed,
        Reported + Close => Closed,
        Confirmed + Safeguard => Safeguarded,
        Safeguarded + Monitor => Monitored,
        Safeguarded + Recur => Recurrence,
        Monitored + Close => Closed,
        Monitored + Recur => Recurrence,
        Closed + Recur => Recurrence,
        Recurrence + Confirm => Confirmed,
    }
}

lifecycle! {
    /// Where a safeguarding referral stands.
    "referral" ReferralState ReferralEvent
    states {
        /// Sent, not answered.
        Made = "made",
        /// Taken on.
        Accepted = "accepted",
        /// Not taken on.
        Declined = "declined",
        /// Work has ended.
        Completed = "completed",
        /// The person did not want it, or was lost from sight.
        Withdrawn = "withdrawn",
    }
    events {
        /// The service takes it on.
        Accept = "accept",
        /// The service does not.
        Decline = "decline",
        /// The work is done.
        Complete = "complete",
        /// The person leaves.
        Withdraw = "withdraw",
        /// It is sent once more.
        MakeAgain = "make again",
    }
    transitions {
        Made + Accept => Accepted,
        Made + Decline => Declined,
        Made + Withdraw => Withdrawn,
        Accepted + Complete => Completed,
        Accepted + Withdraw => Withdrawn,
        Declined + MakeAgain => Made,
        Withdrawn + MakeAgain => Made,
    }
}

lifecycle! {
    /// Where a deployment of officers stands.
    "deployment" DeploymentState DeploymentEvent
    states {
        /// Being written.
        Draft = "draft",
        /// Agreed to.
        Approved = "approved",
        /// The officers know it.
        Briefed = "briefed",
        /// Under way.
        Running = "running",
        /// Over, and what came of it is recorded.
        Debriefed = "debriefed",
        /// Given up.
        Cancelled = "cancelled",
    }
    events {
        /// Somebody who may agrees.
        Approve = "approve",
        /// The officers are briefed.
        Brief = "brief",
        /// It begins.
        Start = "start",
        /// It is over.
        Debrief = "debrief",
        /// It is given up.
        Cancel = "cancel",
        /// It needs to be written again.
        Revise = "revise",
    }
    transitions {
        Draft + Approve => Approved,
        Draft + Cancel => Cancelled,
        Approved + Brief => Briefed,
        Approved + Revise => Draft,
        Approved + Cancel => Cancelled,
        Briefed + Start => Running,
        Briefed + Cancel => Cancelled,
        Running + Debrief => Debriefed,
        Running + Cancel => Cancelled,
    }
}

/// The words of a lifecycle's states, by the name that schema files use; `None` for an unknown lifecycle.
#[must_use]
pub fn states(lifecycle: &str) -> Option<Vec<&'static str>> {
    Some(match lifecycle {
        "line" => LineState::ALL.iter().map(|state| state.as_str()).collect(),
        "closure" => ClosureState::ALL.iter().map(|state| state.as_str()).collect(),
        "restriction" => RestrictionState::ALL.iter().map(|state| state.as_str()).collect(),
        "address" => AddressState::ALL.iter().map(|state| state.as_str()).collect(),
        "referral" => ReferralState::ALL.iter().map(|state| state.as_str()).collect(),
        "deployment" => DeploymentState::ALL.iter().map(|state| state.as_str()).collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::LIFECYCLES;

    /// Every (state, event) pair against a table written down a second time, in words.
    macro_rules! check {
        ($State:ident, $Event:ident, $table:expr) => {{
            let table: &[(&str, &str, &str)] = $table;
            let mut met = 0;
            for state in $State::ALL {
                assert_eq!($State::parse(state.as_str()), Some(*state));
                for event in $Event::ALL {
                    let expected = table
                        .iter()
                        .find(|(from, by, _)| *from == state.as_str() && *by == event.as_str())
                        .map(|(_, _, to)| *to);
                    let found = state.after(*event);
                    assert_eq!(found.as_ref().ok().map(|to| to.as_str()), expected, "{state:?} + {event:?}");
                    assert_eq!(state.possible().contains(event), expected.is_some());
                    if let Err(refusal) = found {
                        assert!(refusal.to_string().contains(event.as_str()), "{refusal}");
                    }
                    met += usize::from(expected.is_some());
                }
            }
            assert_eq!(met, table.len(), "the table names a state or event that does not exist");
        }};
    }

    #[test]
    fn lines() {
        check!(
            LineState,
            LineEvent,
            &[
                ("suspected", "confirm", "active"),
                ("suspected", "merge", "merged"),
                ("suspected", "discredit", "discredited"),
                ("active", "fall silent", "dormant"),
                ("active", "close", "closed pending check-back"),
                ("active", "merge", "merged"),
                ("active", "discredit", "discredited"),
                ("dormant", "see again", "active"),
                ("dormant", "close", "closed pending check-back"),
                ("dormant", "merge", "merged"),
                ("dormant", "discredit", "discredited"),
                ("closed pending check-back", "pass check-back", "closed"),
                ("closed pending check-back", "reopen", "reopened"),
                ("closed", "reopen", "reopened"),
                ("reopened", "fall silent", "dormant"),
                ("reopened", "close", "closed pending check-back"),
                ("reopened", "merge", "merged"),
                ("reopened", "discredit", "discredited"),
            ]
        );
        let running: Vec<&str> =
            LineState::ALL.iter().filter(|state| state.is_running()).map(|state| state.as_str()).collect();
        assert_eq!(running, ["suspected", "active", "reopened"]);
    }

    #[test]
    fn closures_and_restriction_orders() {
        check!(
            ClosureState,
            ClosureEvent,
            &[
                ("pending check-back", "pass check-back", "confirmed"),
                ("pending check-back", "reopen", "reopened"),
                ("confirmed", "reopen", "reopened"),
            ]
        );
        check!(
            RestrictionState,
            RestrictionEvent,
            &[
                ("none", "apply", "applied"),
                ("applied", "grant", "granted"),
                ("applied", "refuse", "refused"),
                ("applied", "expire", "expired"),
                ("granted", "serve", "served"),
                ("granted", "expire", "expired"),
                ("served", "expire", "expired"),
                ("refused", "apply", "applied"),
            ]
        );
    }

    #[test]
    fn addresses_and_referrals() {
        check!(
            AddressState,
            AddressEvent,
            &[
                ("reported", "confirm", "confirmed"),
                ("reported", "close", "closed"),
                ("confirmed", "safeguard", "safeguarded"),
                ("safeguarded", "monitor", "monitored"),
                ("safeguarded", "recur", "recurrence"),
                ("monitored", "close", "closed"),
                ("monitored", "recur", "recurrence"),
                ("closed", "recur", "recurrence"),
                ("recurrence", "confirm", "confirmed"),
            ]
        );
        check!(
            ReferralState,
            ReferralEvent,
            &[
                ("made", "accept", "accepted"),
                ("made", "decline", "declined"),
                ("made", "withdraw", "withdrawn"),
                ("accepted", "complete", "completed"),
                ("accepted", "withdraw", "withdrawn"),
                ("declined", "make again", "made"),
                ("withdrawn", "make again", "made"),
            ]
        );
    }

    #[test]
    fn deployments() {
        check!(
            DeploymentState,
            DeploymentEvent,
            &[
                ("draft", "approve", "approved"),
                ("draft", "cancel", "cancelled"),
                ("approved", "brief", "briefed"),
                ("approved", "revise", "draft"),
                ("approved", "cancel", "cancelled"),
                ("briefed", "start", "running"),
                ("briefed", "cancel", "cancelled"),
                ("running", "debrief", "debriefed"),
                ("running", "cancel", "cancelled"),
            ]
        );
    }

    #[test]
    fn schema_files_can_name_all_of_them_and_no_other() {
        assert!(LIFECYCLES.iter().all(|name| states(name).is_some_and(|states| states.len() > 2)));
        assert_eq!(states("weather"), None);
    }
}
