//! The decision itself, without IO.
//!
//! Owns: how a rule, a scope and an owner add up.
//! Must not: let anybody but the server write below its own prefixes.

use tidegate_gate::{Principal, Scope, ServicePrincipal};
use tidegate_types::{StreamPath, UserId};

use super::{is_asked_for, scope_covers};
use crate::Who;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Read,
    Write,
    Subscribe,
}

impl Verb {
    /// The scope of a key that allows it: who reads may be told that there is something to read.
    pub(super) const fn scope(self) -> &'static str {
        match self {
            Self::Read | Self::Subscribe => "read",
            Self::Write => "write",
        }
    }
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    Allowed,
    /// Nobody asks, and nobody may.
    NoCredential,
    Denied,
}

/// `rule` is the first matching rule's word for this verb; `owner` is known for reserved paths only.
pub(super) fn judge(
    principal: &Principal,
    path: &StreamPath,
    verb: Verb,
    rule: Who,
    owner: Option<UserId>,
) -> Grant {
    let allowed = match principal {
        Principal::Anonymous => rule == Who::Anyone,
        Principal::User(user) => {
            matches!(rule, Who::Anyone | Who::User) || (verb != Verb::Write && owner == Some(user.user_id))
        }
        Principal::Service(service) => {
            let scoped = service.scopes.iter().any(|scope| scope_covers(scope, verb, path));
            match (path.is_reserved(), verb) {
                (false, _) => rule != Who::Nobody || scoped,
                // Who acts in a user's name reads what it asked for.
                (true, Verb::Read) if is_own(service, owner) && is_asked_for(path) => true,
                // A user's key reads what its user may read; an operator's key what its scope names.
                (true, Verb::Read | Verb::Subscribe) => {
                    scoped && (service.owner.is_none() || service.owner == owner)
                }
                (true, Verb::Write) => false,
            }
        }
    };
    match (allowed, principal) {
        (true, _) => Grant::Allowed,
        (false, Principal::Anonymous) => Grant::NoCredential,
        (false, Principal::User(_) | Principal::Service(_)) => Grant::Denied,
    }
}

/// Whether the key acts in the name of the stream's owner.
fn is_own(key: &ServicePrincipal, owner: Option<UserId>) -> bool {
    key.owner.is_some() && key.owner == owner && key.scopes.contains(&Scope::GenerationsWork)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use tidegate_gate::{Role, UserPrincipal, Via};
    use tidegate_types::{KeyId, OsEntropy, Timestamp};

    const NOW: Timestamp = Timestamp::from_millis(1_763_690_000_000);

    fn user(user_id: UserId) -> Principal {
        let (email, via) = ("a@example.org".into(), Via::Token);
        Principal::User(UserPrincipal {
            user_id,
            session_id: None,
            role: Role::Admin,
            email,
            expires_at: None,
            via,
        })
    }

    fn key(scopes: &[&str], owner: Option<UserId>) -> Principal {
        let scopes: Vec<Scope> = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
        let key_id = KeyId::generate(NOW, &OsEntropy);
        Principal::Service(ServicePrincipal { key_id, name: "k".into(), scopes: scopes.into(), owner })
    }

    fn someone() -> UserId {
        UserId::generate(NOW, &OsEntropy)
    }

    #[rstest]
    #[case(Who::Anyone, true, true, true)]
    #[case(Who::User, false, true, true)]
    #[case(Who::Service, false, false, true)]
    #[case(Who::Nobody, false, false, false)]
    fn a_rule_lets_in_whom_it_names(
        #[case] rule: Who,
        #[case] nobody: bool,
        #[case] a_user: bool,
        #[case] a_key: bool,
    ) {
        let path = "public/a".parse().unwrap();
        for verb in [Verb::Read, Verb::Write, Verb::Subscribe] {
            let allowed = |principal: &Principal| judge(principal, &path, verb, rule, None) == Grant::Allowed;
            assert_eq!(allowed(&Principal::Anonymous), nobody);
            assert_eq!(allowed(&user(someone())), a_user);
            assert_eq!(allowed(&key(&[], None)), a_key);
        }
    }

    #[test]
    fn a_scope_covers_its_verb_and_its_paths_only() {
        let reader = key(&["streams:read:logs/**"], None);
        let judge = |path: &str, verb| judge(&reader, &path.parse().unwrap(), verb, Who::Nobody, None);
        assert_eq!(judge("logs/a", Verb::Read), Grant::Allowed);
        assert_eq!(judge("logs/a", Verb::Write), Grant::Denied);
        assert_eq!(judge("other/a", Verb::Read), Grant::Denied);
    }

    #[test]
    fn the_servers_own_streams_are_read_by_their_owner_and_written_by_nobody() {
        let owner = someone();
        let path = "generations/a".parse().unwrap();
        let judge = |principal: &Principal, verb| judge(principal, &path, verb, Who::Nobody, Some(owner));
        assert_eq!(judge(&user(owner), Verb::Read), Grant::Allowed);
        assert_eq!(judge(&user(owner), Verb::Write), Grant::Denied);
        assert_eq!(judge(&user(someone()), Verb::Read), Grant::Denied, "not even an admin reads another's");
        assert_eq!(judge(&Principal::Anonymous, Verb::Read), Grant::NoCredential);
        assert_eq!(judge(&key(&["streams:write:**"], None), Verb::Write), Grant::Denied);
    }

    #[test]
    fn a_users_key_reads_no_more_of_the_servers_own_streams_than_its_user() {
        let owner = someone();
        let path = "generations/a".parse().unwrap();
        let reads =
            |key: &Principal| judge(key, &path, Verb::Read, Who::Nobody, Some(owner)) == Grant::Allowed;
        assert!(reads(&key(&["streams:read:**"], Some(owner))));
        assert!(!reads(&key(&["streams:read:**"], Some(someone()))));
        assert!(!reads(&key(&[], Some(owner))), "a key without the scope reads nothing");
        assert!(
            reads(&key(&["streams:read:generations/**"], None)),
            "an operator's key reads what its scope names"
        );
    }

    #[test]
    fn a_worker_key_reads_the_streams_of_generations_and_no_others() {
        let owner = someone();
        let reads = |key: &Principal, path: &str| {
            judge(key, &path.parse().unwrap(), Verb::Read, Who::Nobody, Some(owner)) == Grant::Allowed
        };
        assert!(reads(&key(&["generations:work"], None), "generations/a"));
        assert!(reads(&key(&["generations:work"], Some(owner)), "generations/a"));
        assert!(!reads(&key(&["generations:work"], Some(someone())), "generations/a"));
        assert!(!reads(&key(&["generations:work"], Some(owner)), "users/a/events"));
        assert!(!reads(&key(&["generations:work"], None), "logs/a"));
    }

    #[test]
    fn a_users_worker_key_reads_that_users_answers_and_nobody_elses() {
        let owner = someone();
        for path in ["conversations/a/turns/1", "documents/a"] {
            let path = path.parse().unwrap();
            let reads =
                |key: &Principal| judge(key, &path, Verb::Read, Who::Nobody, Some(owner)) == Grant::Allowed;
            assert!(reads(&key(&["generations:work"], Some(owner))));
            assert!(!reads(&key(&["generations:work"], Some(someone()))));
            assert!(!reads(&key(&["generations:work"], None)), "an operator's worker reads no answers");
            assert!(!reads(&key(&["events:publish"], Some(owner))));
        }
    }
}
