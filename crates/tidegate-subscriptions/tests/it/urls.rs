//! URLs that want the server to call itself or its own network.

use tidegate_subscriptions::{CreateError, NewTarget, WebhookPolicy, WebhookUrl};

use crate::rig::{Rig, new};

const HOSTILE: [&str; 62] = [
    // Not https, or not the fixed ports.
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "data:text/plain,hi",
    "javascript:alert(1)",
    "//hooks.example.com/",
    "hooks.example.com/path",
    "https://",
    "https:///path",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:80/",
    "https://hooks.example.com:6379/",
    "https://hooks.example.com:8080/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:99999/",
    // Who is who.
    "https://user@hooks.example.com/",
    "https://user:pass@hooks.example.com/",
    "https://hooks.example.com@127.0.0.1/",
    "https://hooks.example.com#@127.0.0.1/",
    "https://127.0.0.1\\@hooks.example.com/",
    "https://hooks.example.com/\r\nHost: localhost",
    "https://hooks.exa\tmple.com/ x",
    // This machine, in every spelling.
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0/",
    "https://0.0.0.0/",
    "https://127.0.0.1./",
    "https://%31%32%37.0.0.1/",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://app.localhost/",
    "https://localhost.localdomain/",
    // Its network and its cloud.
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://intranet/",
    "https://224.0.0.1/",
];

#[tokio::test]
async fn no_hostile_url_is_taken_or_called() {
    let rig = Rig::start().await;
    for (n, url) in HOSTILE.iter().enumerate() {
        let made =
            rig.subs.create(new(&format!("s{n}"), NewTarget::Webhook((*url).to_owned()), Some("events/*")));
        assert!(matches!(made.await, Err(CreateError::Url(_))), "{url}");
    }
    rig.append("events/a").await;
    rig.deliver().await;
    assert!(rig.hook.bodies().is_empty());
}

#[test]
fn the_setting_for_tests_opens_this_machine_and_nothing_else() {
    let policy = WebhookPolicy { enabled: true, allow_loopback: true };
    let opened = HOSTILE.iter().filter(|url| WebhookUrl::parse(url, policy).is_ok());
    for url in opened {
        let url = WebhookUrl::parse(url, policy).unwrap();
        assert!(!url.admits("8.8.8.8".parse().unwrap()) && !url.admits("169.254.169.254".parse().unwrap()));
        assert!(
            url.host() == "localhost" || url.host().parse::<std::net::IpAddr>().unwrap().is_loopback(),
            "{url:?}"
        );
    }
}
