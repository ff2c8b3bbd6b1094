//! Making accounts.

use secrecy::SecretString;
use serde_json::json;
use tidegate_types::UserId;

use super::email::Email;
use super::{NewUser, Register, RegisterError, SignedIn, User};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::passwords::{HashNewError, check_length};
use crate::rates::Rate;
use crate::store::{Identity, UserRow};
use crate::{ClientFacts, Gate, Role, SessionKind};

const NAME_CHARS_MAX: usize = 200;

impl From<HashNewError> for RegisterError {
    fn from(error: HashNewError) -> Self {
        match error {
            HashNewError::Rejected(rejected) => Self::Password(rejected),
            HashNewError::Hash(error) => Self::Hash(error),
        }
    }
}

impl Gate {
    /// Makes an account and signs it in.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub async fn register(
        &self,
        new: Register,
        kind: SessionKind,
        facts: &ClientFacts,
    ) -> Result<SignedIn, RegisterError> {
        self.take_rate(Rate::AuthAddress, &facts.address.to_string())?;
        let Register { email, password, name } = new;
        let row = self.new_user(NewUser { email, password, name, role: Role::User }).await?;
        let begun = self.begin_session(&row.user, kind, facts)?;
        let event = AuditEvent::new(AuditKind::Register, Actor::User(row.user.id))
            .from_client(facts)
            .subject(row.user.id)
            .detail(json!({ "session": begun.row.session.id }));
        let user = row.user.clone();
        let added = self.store().insert_user(row, Some(begun.row), vec![event.at(self.now())]).await?;
        if !added {
            return Err(RegisterError::EmailTaken);
        }
        Ok(SignedIn { user, session_id: begun.session_id, issued: begun.issued })
    }

    /// Makes an account without signing it in; no rate limit applies.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub async fn add_user(&self, new: NewUser, by: Actor) -> Result<User, RegisterError> {
        let row = self.new_user(new).await?;
        let user = row.user.clone();
        let event = AuditEvent::new(AuditKind::Register, by)
            .subject(user.id)
            .detail(json!({ "role": user.role.as_str() }));
        let added = self.store().insert_user(row, None, vec![event.at(self.now())]).await?;
        if added { Ok(user) } else { Err(RegisterError::EmailTaken) }
    }

    async fn new_user(&self, new: NewUser) -> Result<UserRow, RegisterError> {
        let email = Email::parse(&new.email)?;
        let name = check_name(new.name)?;
        check_length(secrecy::ExposeSecret::expose_secret(&new.password))?;
        // Hashing is the dear part: not for an email that is known to be taken. Who races past
        // this look is stopped by the unique index.
        if self.store().find_user_by_email(&email.key).await?.is_some() {
            return Err(RegisterError::EmailTaken);
        }
        let hash = self.hash_for(&new.password, &email.key, name.as_deref()).await?;
        let now = self.now();
        let user = User {
            id: UserId::generate(now, self.entropy()),
            email: email.shown.into(),
            name,
            role: new.role,
            created_at: now,
            disabled_at: None,
        };
        Ok(UserRow { user, identity: Identity::Password { email_key: email.key, hash } })
    }

    pub(super) async fn hash_for(
        &self,
        password: &SecretString,
        email: &str,
        name: Option<&str>,
    ) -> Result<SecretString, HashNewError> {
        let context: Vec<&str> = std::iter::once(email).chain(name).collect();
        self.inner.hashes.hash_new(password, &context, self.entropy()).await
    }
}

fn check_name(name: Option<String>) -> Result<Option<String>, RegisterError> {
    let Some(name) = name else { return Ok(None) };
    let name = name.trim();
    if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(RegisterError::Name);
    }
    Ok(if name.is_empty() { None } else { Some(name.to_owned()) })
}
