//! Lifecycles as state machines: the states of a record, and the events that lead from one state to another.
//!
//! In: a state and an event. Out: the next state, or [`IllegalTransition`]. Not here: who may cause an event (`access`),
//! and when events happen.
//!
//! Source: the founding documents and the Home Office's description of the programme. A closure has a type and is
//! confirmed by a check-back (the number is tried again); a line that is seen after its closure is reopened.

/// An event that a state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{lifecycle}: {event:?} is not possible from {state:?}; possible are {}", .possible.join(", "))]
pub struct IllegalTransition {
    /// The lifecycle.
    pub lifecycle: &'static str,
    /// The state of the record.
    pub state: &'static str,
    /// The event that was refused.
    pub event: &'static str,
    /// The events that the state allows.
    pub possible: Vec<&'static str>,
}

/// Defines the states and events of one lifecycle with their words, and its transitions from a table.
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

        #[doc = concat!("The events of the lifecycle \"", $name, "\".")]
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

            /// The word that records use.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$state => $state_word),+ }
            }

            /// The state with this word; `None` if there is none.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.as_str() == word)
            }

            /// The state that the event leads to.
            ///
            /// # Errors
            /// [`IllegalTransition`] if the state does not allow the event.
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
    /// The state of a deal line.
    "line" LineState LineEvent
    states {
        /// Reported, not confirmed.
        Suspected = "suspected",
        /// Confirmed, with evidence in the last sixty days.
        Active = "active",
        /// No evidence for sixty days.
        Dormant = "dormant",
        /// Closed; the check-back has still to be done.
        ClosedPendingCheckBack = "closed pending check-back",
        /// Closed; the number was dead at the check-back.
        Closed = "closed",
        /// Seen running after a closure.
        Reopened = "reopened",
        /// Found to be the same as another line.
        Merged = "merged",
        /// Found not to be a line.
        Discredited = "discredited",
    }
    events {
        /// Evidence confirms the line.
        Confirm = "confirm",
        /// There was no evidence for sixty days.
        FallSilent = "fall silent",
        /// There is evidence again.
        SeeAgain = "see again",
        /// The line is closed.
        Close = "close",
        /// The number is dead at the check-back.
        PassCheckBack = "pass check-back",
        /// The line runs again.
        Reopen = "reopen",
        /// The line is found to be the same as another.
        Merge = "merge",
        /// The line is found not to be one.
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
    /// Whether the line counts as running: suspected, active or reopened.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Suspected | Self::Active | Self::Reopened)
    }
}

lifecycle! {
    /// The state of a closure.
    "closure" ClosureState ClosureEvent
    states {
        /// The check-back has still to be done.
        PendingCheckBack = "pending check-back",
        /// The number was dead at the check-back.
        Confirmed = "confirmed",
        /// The line runs again, so the closure no longer holds.
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
    /// The state of a drug dealing telecommunications restriction order for a number.
    "restriction" RestrictionState RestrictionEvent
    states {
        /// There was no application.
        None = "none",
        /// A superintendent or above has applied to a court.
        Applied = "applied",
        /// The court has granted it.
        Granted = "granted",
        /// The provider has disconnected the number.
        Served = "served",
        /// The court has refused it.
        Refused = "refused",
        /// The number was dead before the order was served, or the order's time is over.
        Expired = "expired",
    }
    events {
        /// An officer applies to a court.
        Apply = "apply",
        /// The court grants it.
        Grant = "grant",
        /// The court refuses it.
        Refuse = "refuse",
        /// The provider disconnects the number.
        Serve = "serve",
        /// The order expires.
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
    /// The state of a cuckooed address.
    "address" AddressState AddressEvent
    states {
        /// Reported, not confirmed.
        Reported = "reported",
        /// Confirmed: dealers have taken the home over.
        Confirmed = "confirmed",
        /// The occupant is safe.
        Safeguarded = "safeguarded",
        /// Officers visit from time to time.
        Monitored = "monitored",
        /// Visits have ended, or the report was wrong.
        Closed = "closed",
        /// Dealers have taken the home over again.
        Recurrence = "recurrence",
    }
    events {
        /// The take-over is confirmed.
        Confirm = "confirm",
        /// The occupant is made safe.
        Safeguard = "safeguard",
        /// Officers begin to visit from time to time.
        Monitor = "monitor",
        /// Visits end, or the report was wrong.
        Close = "close",
        /// Dealers take the home over again.
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
    /// The state of a safeguarding referral.
    "referral" ReferralState ReferralEvent
    states {
        /// Sent; the service has not answered.
        Made = "made",
        /// The service has accepted it.
        Accepted = "accepted",
        /// The service has declined it.
        Declined = "declined",
        /// The service has finished its work.
        Completed = "completed",
        /// The person did not want it or could not be reached.
        Withdrawn = "withdrawn",
    }
    events {
        /// The service accepts it.
        Accept = "accept",
        /// The service declines it.
        Decline = "decline",
        /// The service finishes its work.
        Complete = "complete",
        /// The person does not want it or cannot be reached.
        Withdraw = "withdraw",
        /// It is sent again.
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
    /// The state of a deployment of officers.
    "deployment" DeploymentState DeploymentEvent
    states {
        /// In preparation.
        Draft = "draft",
        /// Approved, the officers are not briefed yet.
        Approved = "approved",
        /// The officers are briefed.
        Briefed = "briefed",
        /// Under way.
        Running = "running",
        /// Ended, and the results are recorded.
        Debriefed = "debriefed",
        /// Cancelled.
        Cancelled = "cancelled",
    }
    events {
        /// A person with the authority approves it.
        Approve = "approve",
        /// The officers are briefed.
        Brief = "brief",
        /// The deployment starts.
        Start = "start",
        /// The deployment has ended and its results are recorded.
        Debrief = "debrief",
        /// The deployment is cancelled.
        Cancel = "cancel",
        /// It goes back to preparation.
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

/// The words of all states of a lifecycle, by the name that schema files use; `None` if there is no such lifecycle.
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

    /// Compares every pair of state and event with a second table, written in words.
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
