//! Accounts of either role, signed in by token or by cookie.

use tidegate_gate::{
    Actor, ClientFacts, ExposeSecret as _, Issued, Login, NewUser, Role, SessionKind, SignedIn,
};
use tidegate_types::UserId;

use crate::fixture::Server;

const PASSWORD: &str = "a long enough phrase";

/// Somebody who is signed in.
pub(crate) struct Member {
    pub(crate) id: UserId,
    pub(crate) email: String,
    /// `Bearer …`.
    pub(crate) authorization: String,
}

impl Member {
    /// Makes an account and signs it in.
    pub(crate) async fn new(server: &Server, name: &str, role: Role) -> Self {
        let email = format!("{name}@example.org");
        let new = NewUser { email: email.clone(), password: PASSWORD.to_owned().into(), role, name: None };
        let user = server.gate.add_user(new, Actor::Operator).await.unwrap();
        let signed_in = sign_in(server, &email, SessionKind::Token).await;
        let Issued::Tokens(tokens) = signed_in.issued else { panic!("asked for tokens") };
        let authorization = format!("Bearer {}", tokens.access_token.expose_secret());
        Self { id: user.id, email, authorization }
    }

    /// Signs in once more, with a cookie: `name=value`.
    pub(crate) async fn cookie(&self, server: &Server) -> String {
        let signed_in = sign_in(server, &self.email, SessionKind::Cookie).await;
        let Issued::Cookie(cookie) = signed_in.issued else { panic!("asked for a cookie") };
        format!("tidegate={}", cookie.value.expose_secret())
    }
}

async fn sign_in(server: &Server, email: &str, kind: SessionKind) -> SignedIn {
    let login = Login { email: email.to_owned(), password: PASSWORD.to_owned().into() };
    server.gate.login(login, kind, &ClientFacts::local()).await.unwrap()
}
