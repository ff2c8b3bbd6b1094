//! Accounts made and disabled on the data folder while a server runs.

use serde_json::json;
use tidegate_testkit::{Api, TestProcess, within};

use crate::folder::{ONE_SECOND, verb};

#[tokio::test]
async fn an_account_made_while_serving_can_sign_in_and_a_disabled_one_cannot() {
    let server = TestProcess::start().await.unwrap();
    let add = ["user", "add", "--email", "ada@example.org", "--role", "admin", "--password-stdin"];
    let user = verb(&server, &add, "difference-engine-1\n").await;
    assert_eq!(user["email"], "ada@example.org");
    assert_eq!(user["role"], "admin");
    let api = Api::new(server.url(), None).unwrap();
    let login = json!({ "email": "ada@example.org", "password": "difference-engine-1" });
    let signed_in = within(ONE_SECOND, "the account is seen", || async {
        let answer = api.post("/api/v1/auth/login", &login).await.unwrap();
        (answer.status == 200).then_some(answer)
    })
    .await;
    let api = api.with_bearer(signed_in.member("access_token"));
    assert_eq!(api.get("/api/v1/auth/me").await.unwrap().status, 200);

    verb(&server, &["user", "disable", "ada@example.org"], "").await;
    within(ONE_SECOND, "the token is refused", || async {
        let status = api.get("/api/v1/auth/me").await.unwrap().status;
        (status == 401 || status == 403).then_some(())
    })
    .await;
}
