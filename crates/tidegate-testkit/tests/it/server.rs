//! A test server is a server: ready when it is started, gone when it is stopped.

use tidegate_testkit::TestServer;

#[tokio::test]
async fn a_test_server_is_ready_at_once_and_stops_when_told() {
    let server = TestServer::start().await.unwrap();
    let ready = server.anonymous().unwrap().get("/readyz").await.unwrap();
    assert_eq!(ready.status, 200, "{}", ready.text);
    let addr = server.addr();
    server.stop().await.unwrap();
    assert!(tidegate_testkit::RawConnection::open(addr).await.is_err());
}

#[tokio::test]
async fn a_restart_keeps_the_address_and_the_folder() {
    let server = TestServer::start().await.unwrap();
    let addr = server.addr();
    let server = server.restart().await.unwrap();
    assert_eq!(server.addr(), addr);
    let mut raw = server.raw().await.unwrap();
    raw.request("GET /healthz", &[], b"").await.unwrap();
    assert_eq!(raw.answer().await.unwrap().status, 200);
}
