//! People and keys of a test server, and calls in their name.

use serde_json::Value;
use tidegate_gate::{ClientFacts, CreatedKey, Issued, NewKey, Register, SessionKind};
use tidegate_types::UserId;

use crate::events::ask;
use crate::fixture::{Answer, Server, get};

/// Somebody with a credential.
pub(crate) struct Person {
    /// The value of `Authorization`.
    pub(crate) authorization: String,
    /// The user, if it is one.
    pub(crate) user: Option<UserId>,
}

/// Registers a user and signs in.
pub(crate) async fn user(server: &Server, name: &str) -> Person {
    let email = format!("{name}@example.org");
    let password = "seven green bottles".to_owned().into();
    let register = Register { email, password, name: None };
    let signed = server.gate.register(register, SessionKind::Token, &ClientFacts::local()).await.unwrap();
    let Issued::Tokens(tokens) = signed.issued else { panic!("no tokens") };
    let authorization =
        format!("Bearer {}", tidegate_gate::ExposeSecret::expose_secret(&tokens.access_token));
    Person { authorization, user: Some(signed.user.id) }
}

/// Makes a key.
pub(crate) async fn key(server: &Server, scopes: &[&str], owner: Option<UserId>) -> (Person, CreatedKey) {
    let scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
    let new = NewKey { name: "worker 1".to_owned(), scopes, expires_at: None, owner };
    let created = server.gate.create_key(new, &ClientFacts::local()).await.unwrap();
    let authorization = format!("Bearer {}", created.secret.reveal());
    (Person { authorization, user: owner }, created)
}

impl Person {
    /// A `GET` in this name.
    pub(crate) async fn get(&self, server: &Server, path: &str) -> Answer {
        server.send(&get(path, &[("Authorization", &self.authorization)])).await
    }

    /// A call with a JSON body in this name.
    pub(crate) async fn call(&self, server: &Server, request: &str, body: &Value) -> Answer {
        self.call_with(server, request, &[], body).await
    }

    /// The same with further headers.
    pub(crate) async fn call_with(
        &self,
        server: &Server,
        request: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let mut all =
            vec![("Authorization", self.authorization.as_str()), ("Content-Type", "application/json")];
        all.extend_from_slice(headers);
        ask(server, request, &all, &body.to_string()).await
    }
}

/// The body of an answer that must have this status.
pub(crate) fn body(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.raw);
    serde_json::from_str(&answer.body).unwrap()
}
