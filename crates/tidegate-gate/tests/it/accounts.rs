//! Registering, signing in, passwords, and what an operator may do.

use std::time::Duration;

use tidegate_gate::{
    Actor, AuditKind, AuthError, ChangePassword, ExposeSecret as _, LoginError, NewUser, PasswordError,
    PasswordRejected, Register, RegisterError, Role, SessionKind,
};
use tidegate_types::ErrorCode;

use crate::support::{Desk, EMAIL, PASSWORD, ada, config, desk, desk_with, facts, loose, tokens};

async fn register(desk: &Desk, email: &str, password: &str) -> Result<(), RegisterError> {
    let new = Register { email: email.to_owned(), password: password.to_owned().into(), name: None };
    desk.gate.register(new, SessionKind::Token, &facts()).await.map(|_| ())
}

#[tokio::test]
async fn who_registers_is_signed_in_and_can_sign_in_again() {
    let desk = desk().await;
    let begun = desk.register().await;
    assert_eq!(
        (&*begun.user.email, begun.user.name.as_deref(), begun.user.role),
        (EMAIL, Some("Ada"), Role::User)
    );
    assert_eq!(desk.user_of(tokens(&begun)).await.user_id, begun.user.id);
    let again = desk.login_with(" ADA@Example.Test ", PASSWORD, SessionKind::Token).await.unwrap();
    assert_eq!(again.user, begun.user);
    assert_ne!(again.session_id, begun.session_id);
    assert_eq!((desk.audited(AuditKind::Register).await, desk.audited(AuditKind::SignIn).await), (1, 1));
}

#[tokio::test]
async fn of_many_who_register_one_email_at_once_one_succeeds() {
    let desk = desk_with(config(), tidegate_types::Limits { password_wait_ms: 60_000, ..loose() }).await;
    let calls: Vec<_> = (0..16)
        .map(|n| {
            let gate = desk.gate.clone();
            let email = if n % 2 == 0 { "ada@example.test" } else { "Ada@Example.TEST" };
            let new = Register { email: email.to_owned(), ..ada() };
            tokio::spawn(async move { gate.register(new, SessionKind::Token, &facts()).await })
        })
        .collect();
    let mut made = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert_eq!(error.code(), ErrorCode::EmailTaken),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(desk.gate.list_users(None, 50).await.unwrap().len(), 1);
}

#[tokio::test]
async fn weak_and_endless_passwords_are_refused() {
    let desk = desk().await;
    for (password, why) in [
        ("short", PasswordRejected::TooShort),
        ("password", PasswordRejected::Common),
        ("12345678", PasswordRejected::Common),
        (EMAIL, PasswordRejected::Common),
    ] {
        assert_eq!(register(&desk, EMAIL, password).await, Err(RegisterError::Password(why)));
    }
    let before = desk.gate.password_hashes();
    let endless = "tide and time ".repeat(80);
    let refused = register(&desk, EMAIL, &endless).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::PasswordTooLong);
    let refused = desk.login_with(EMAIL, &endless, SessionKind::Token).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::PasswordTooLong);
    assert_eq!(desk.gate.password_hashes(), before, "nothing was hashed");
}

#[tokio::test]
async fn what_is_no_email_is_refused() {
    let desk = desk().await;
    for email in ["", "ada", "a b@c.test", "ada@", "@c.test"] {
        assert_eq!(register(&desk, email, PASSWORD).await.unwrap_err().code(), ErrorCode::ValidationFailed);
    }
}

#[tokio::test]
async fn an_unknown_email_costs_a_hash_and_gets_the_same_answer() {
    let desk = desk().await;
    desk.register().await;
    let before = desk.gate.password_hashes();
    let wrong = desk.login_with(EMAIL, "another-harbour-8", SessionKind::Token).await.unwrap_err();
    let unknown = desk.login_with("eve@example.test", PASSWORD, SessionKind::Token).await.unwrap_err();
    assert_eq!(wrong, unknown);
    assert_eq!(wrong, LoginError::InvalidCredentials);
    assert_eq!(desk.gate.password_hashes(), before + 2);
    assert_eq!(desk.audited(AuditKind::SignInRefused).await, 2);
}

#[tokio::test]
async fn the_eleventh_sign_in_of_a_minute_is_refused_without_a_hash() {
    let limits = tidegate_types::Limits { logins_per_minute_per_account: 10, ..loose() };
    let desk = desk_with(config(), limits).await;
    desk.register().await;
    for _ in 0..10 {
        desk.login_with(EMAIL, "another-harbour-8", SessionKind::Token).await.unwrap_err();
    }
    let before = desk.gate.password_hashes();
    let limited = desk.login(SessionKind::Token).await.unwrap_err();
    assert_eq!(limited.code(), ErrorCode::RateLimited);
    assert!(limited.retry_after().unwrap() >= 1);
    assert_eq!(desk.gate.password_hashes(), before);
    desk.clock.advance(Duration::from_secs(60));
    assert!(desk.login(SessionKind::Token).await.is_ok());
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions() {
    let desk = desk().await;
    let here = desk.register().await;
    let elsewhere = desk.login(SessionKind::Token).await.unwrap();
    let user = desk.user_of(tokens(&here)).await;
    let change = |current: &str, new: &str| ChangePassword {
        current: current.to_owned().into(),
        new: new.to_owned().into(),
    };
    let wrong =
        desk.gate.change_password(&user, change("another-harbour-8", "a-louder-harbour-9"), &facts()).await;
    assert_eq!(wrong, Err(PasswordError::WrongCurrent));
    let weak = desk.gate.change_password(&user, change(PASSWORD, "password1"), &facts()).await;
    assert_eq!(weak.unwrap_err().code(), ErrorCode::WeakPassword);
    desk.gate.change_password(&user, change(PASSWORD, "a-louder-harbour-9"), &facts()).await.unwrap();
    assert!(desk.bearer(tokens(&here).access_token.expose_secret()).await.is_ok());
    let refused = desk.bearer(tokens(&elsewhere).access_token.expose_secret()).await;
    assert_eq!(refused.unwrap_err(), AuthError::Invalid);
    assert_eq!(desk.login(SessionKind::Token).await.unwrap_err(), LoginError::InvalidCredentials);
    assert!(desk.login_with(EMAIL, "a-louder-harbour-9", SessionKind::Token).await.is_ok());
}

#[tokio::test]
async fn a_disabled_account_loses_everything_until_it_is_enabled() {
    let desk = desk().await;
    let begun = desk.register().await;
    let user = desk.gate.set_disabled(begun.user.id, true, Actor::Operator).await.unwrap();
    assert!(user.disabled_at.is_some());
    assert!(desk.bearer(tokens(&begun).access_token.expose_secret()).await.is_err());
    let refresh = desk.gate.refresh(tokens(&begun).refresh_token.expose_secret(), &facts()).await;
    assert!(refresh.is_err());
    assert_eq!(desk.login(SessionKind::Token).await.unwrap_err(), LoginError::Disabled);
    desk.gate.set_disabled(begun.user.id, false, Actor::Operator).await.unwrap();
    assert!(
        desk.bearer(tokens(&begun).access_token.expose_secret()).await.is_err(),
        "the old session is gone"
    );
    assert!(desk.login(SessionKind::Token).await.is_ok());
}

#[tokio::test]
async fn a_new_role_counts_at_once_and_signs_nobody_out() {
    let desk = desk().await;
    let begun = desk.register().await;
    assert_eq!(desk.user_of(tokens(&begun)).await.role, Role::User);
    desk.gate.set_role(begun.user.id, Role::Admin, Actor::Operator).await.unwrap();
    assert_eq!(desk.user_of(tokens(&begun)).await.role, Role::Admin);
}

#[tokio::test]
async fn an_account_made_by_another_process_can_sign_in() {
    let desk = desk().await;
    let other = desk.other_process().await;
    let new = NewUser {
        email: EMAIL.to_owned(),
        password: PASSWORD.to_owned().into(),
        role: Role::Admin,
        name: None,
    };
    let made = other.add_user(new.clone(), Actor::Operator).await.unwrap();
    assert_eq!(desk.login(SessionKind::Token).await.unwrap().user, made);
    assert_eq!(desk.gate.add_user(new, Actor::Operator).await, Err(RegisterError::EmailTaken));
    assert_eq!(desk.gate.find_user_by_email("ADA@example.test").await.unwrap(), Some(made));
}

#[tokio::test]
async fn a_password_set_by_the_operator_ends_all_sessions() {
    let desk = desk().await;
    let begun = desk.register().await;
    let new = "a-louder-harbour-9".to_owned();
    desk.gate.set_password(begun.user.id, new.clone().into(), Actor::Operator).await.unwrap();
    assert!(desk.bearer(tokens(&begun).access_token.expose_secret()).await.is_err());
    assert!(desk.login_with(EMAIL, &new, SessionKind::Token).await.is_ok());
}

#[tokio::test]
async fn no_secret_reaches_a_debug_line() {
    let desk = desk().await;
    let begun = desk.register().await;
    desk.login_with(EMAIL, "another-harbour-8", SessionKind::Token).await.unwrap_err();
    let text = format!("{begun:?} {:?}", desk.config);
    for secret in [PASSWORD, crate::support::SECRET, tokens(&begun).refresh_token.expose_secret()] {
        assert!(!text.contains(secret));
    }
    let access = tokens(&begun).access_token.expose_secret();
    assert!(!text.contains(access));
}
