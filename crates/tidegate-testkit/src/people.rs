//! Users and keys of a test server.

use anyhow::Context as _;
use tidegate_gate::{Actor, ClientFacts, ExposeSecret as _, Login, NewKey, NewUser, Role, SessionKind};
use tidegate_types::{KeyId, UserId};

use crate::TestServer;
use crate::api::Api;

/// The password of every test user.
pub const PASSWORD: &str = "stale-mackerel-umbrella-9";

/// A signed-in user.
#[derive(Clone, Debug)]
pub struct TestUser {
    /// Who they are.
    pub id: UserId,
    /// What they sign in with, with [`PASSWORD`].
    pub email: String,
    /// An access token.
    pub access_token: String,
    /// A refresh token.
    pub refresh_token: String,
    /// A client with the access token.
    pub api: Api,
}

/// An API key.
#[derive(Clone, Debug)]
pub struct TestKey {
    /// Its id.
    pub id: KeyId,
    /// Its secret.
    pub secret: String,
    /// Its signing secret, with the scope `generations:work`.
    pub signing_secret: Option<String>,
    /// A client with the key.
    pub api: Api,
}

impl TestServer {
    /// A new user, signed in.
    ///
    /// # Errors
    /// The account can't be made.
    pub async fn user(&self) -> anyhow::Result<TestUser> {
        self.person(Role::User).await
    }

    /// A new operator, signed in.
    ///
    /// # Errors
    /// The account can't be made.
    pub async fn admin(&self) -> anyhow::Result<TestUser> {
        self.person(Role::Admin).await
    }

    async fn person(&self, role: Role) -> anyhow::Result<TestUser> {
        let email = format!("{role}-{}@example.org", self.next_number());
        let password = PASSWORD.to_owned().into();
        let new = NewUser { email: email.clone(), password, name: None, role };
        let user = self.gate().add_user(new, Actor::Operator).await.context("adding a user")?;
        self.session(user.id, email).await
    }

    /// The same person with a new session, as after a month away.
    ///
    /// # Errors
    /// They may not sign in.
    pub async fn sign_in(&self, user: &TestUser) -> anyhow::Result<TestUser> {
        self.session(user.id, user.email.clone()).await
    }

    async fn session(&self, id: UserId, email: String) -> anyhow::Result<TestUser> {
        let login = Login { email: email.clone(), password: PASSWORD.to_owned().into() };
        let signed_in = self
            .gate()
            .login(login, SessionKind::Token, &ClientFacts::local())
            .await
            .context("signing in")?;
        let tidegate_gate::Issued::Tokens(tokens) = signed_in.issued else {
            anyhow::bail!("tokens were asked for, a cookie came");
        };
        let access_token = tokens.access_token.expose_secret().to_owned();
        Ok(TestUser {
            id,
            email,
            api: self.anonymous()?.with_bearer(&access_token),
            access_token,
            refresh_token: tokens.refresh_token.expose_secret().to_owned(),
        })
    }

    /// A new API key with these scopes.
    ///
    /// # Errors
    /// A scope is none, or the key can't be made.
    pub async fn key(&self, scopes: &[&str]) -> anyhow::Result<TestKey> {
        self.key_of(None, scopes).await
    }

    /// The same, with an owner.
    ///
    /// # Errors
    /// As for [`TestServer::key`].
    pub async fn key_of(&self, owner: Option<UserId>, scopes: &[&str]) -> anyhow::Result<TestKey> {
        let scopes = scopes.iter().map(|scope| scope.parse()).collect::<Result<Vec<_>, _>>()?;
        let name = format!("key {}", self.next_number());
        let new = NewKey { name, scopes, expires_at: None, owner };
        let created = self.gate().create_key(new, &ClientFacts::local()).await.context("making a key")?;
        let secret = created.secret.reveal().to_owned();
        Ok(TestKey {
            id: created.key.id,
            api: self.anonymous()?.with_bearer(&secret),
            secret,
            signing_secret: created.signing_secret.map(|secret| secret.expose_secret().to_owned()),
        })
    }
}
