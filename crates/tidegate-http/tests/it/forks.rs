//! Forks over HTTP: who may fork what, and what the public suite does not ask.

use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::json;
use tidegate_http::{AccessRule, Who};

use crate::events::{EventStream, ask};
use crate::fixture::{Answer, Server, Setup, get};
use crate::people::{Person, body, key, user};

const TEXT: (&str, &str) = ("Content-Type", "text/plain");

fn rules(setup: &mut Setup) {
    let rule = |path: &str, read, write| AccessRule {
        path: path.parse().unwrap(),
        read,
        write,
        subscribe: Who::Nobody,
    };
    setup.config.access = vec![
        rule("public/**", Who::Anyone, Who::Anyone),
        rule("read/**", Who::Anyone, Who::Nobody),
        rule("inbox/**", Who::Nobody, Who::Anyone),
        rule("team/**", Who::User, Who::User),
        rule("backend/**", Who::Service, Who::Service),
    ];
}

/// Streams to fork at `…/s`, two users' generations, and everybody who may try.
struct World {
    server: Server,
    people: BTreeMap<&'static str, String>,
    generation: String,
    foreign: String,
}

impl World {
    async fn new() -> Self {
        let server = Server::with(rules).await;
        for area in ["public", "read", "inbox", "team", "backend", "logs"] {
            let path = format!("{area}/s").parse().unwrap();
            let records = vec!["hello".into()];
            let new = tidegate_log::NewStream {
                content_type: "text/plain".to_owned(),
                records,
                ..tidegate_log::NewStream::default()
            };
            server.log.create(&path, new).await.unwrap();
        }
        let (owner, other) = (user(&server, "owner").await, user(&server, "other").await);
        let generation = self::generation(&server, &owner).await;
        let foreign = self::generation(&server, &other).await;
        let people = people(&server, owner, other).await;
        Self { server, people, generation, foreign }
    }

    /// A fork of `source` at `target`, by somebody.
    async fn fork(&self, who: &str, source: &str, target: &str) -> Answer {
        let source = source.replace("{own}", &self.generation).replace("{foreign}", &self.foreign);
        let source = format!("/v1/stream/{source}");
        self.ask(who, &format!("PUT /v1/stream/{target}"), &[("Stream-Forked-From", &source)], "").await
    }

    async fn ask(&self, who: &str, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut all = headers.to_vec();
        if let Some(authorization) = self.people.get(who) {
            all.push(("Authorization", authorization));
        }
        ask(&self.server, request, &all, body).await
    }
}

async fn generation(server: &Server, owner: &Person) -> String {
    let new = json!({ "prompt": "p", "framework": "external" });
    let made = body(&owner.call(server, "POST /api/v1/generations", &new).await, 201);
    made["id"].as_str().unwrap().to_owned()
}

async fn people(server: &Server, owner: Person, other: Person) -> BTreeMap<&'static str, String> {
    let admin = crate::keys::admin(server).await;
    let mut people = BTreeMap::new();
    let all: [(&'static str, &[&str], _); 8] = [
        ("reader", &["streams:read:**"], None),
        ("writer", &["streams:write:**"], None),
        ("logs key", &["streams:read:logs/**", "streams:write:copies/**"], None),
        ("operator's key", &["streams:read:generations/**", "streams:write:copies/**"], None),
        ("owner's key", &["streams:read:**", "streams:write:copies/**"], owner.user),
        ("other's key", &["streams:read:**", "streams:write:copies/**"], other.user),
        ("worker", &["generations:work", "streams:write:copies/**"], None),
        ("publisher", &["events:publish"], None),
    ];
    for (name, scopes, of) in all {
        people.insert(name, key(server, scopes, of).await.0.authorization);
    }
    let request = "POST /v1/stream/logs/s?ticket";
    let ticket = ask(server, request, &[("Authorization", &people["reader"])], "").await;
    let ticket = body(&ticket, 200)["sse_token"].as_str().unwrap().to_owned();
    people.insert("ticket", format!("Bearer {ticket}"));
    people.extend([("owner", owner.authorization), ("other", other.authorization), ("admin", admin)]);
    people
}

/// Who · what they fork · where to · the answer. Read on the source, write on the target, and nothing else.
const TABLE: &str = "
    nobody         public/s               public/f       201
    nobody         read/s                 public/f       201
    nobody         inbox/s                public/f       401
    nobody         team/s                 public/f       401
    nobody         backend/s              public/f       401
    nobody         logs/s                 public/f       401
    nobody         generations/{own}      public/f       401
    nobody         public/absent          public/f       404
    nobody         logs/absent            public/f       401
    nobody         generations/absent     public/f       401
    nobody         public/s               read/f         401
    nobody         public/s               team/f         401
    nobody         public/s               logs/f         401
    nobody         public/s               generations/f  401
    nobody         public/s               inbox/f        201
    owner          team/s                 team/f         201
    owner          generations/{own}      team/f         201
    owner          generations/{own}      logs/f         403
    owner          generations/{own}      generations/f  403
    owner          generations/{foreign}  team/f         403
    owner          generations/absent     team/f         404
    owner          inbox/s                team/f         403
    owner          inbox/absent           team/f         403
    owner          logs/s                 team/f         403
    owner          backend/s              team/f         403
    other          generations/{own}      team/f         403
    other          generations/{foreign}  public/f       201
    admin          generations/{own}      team/f         403
    admin          logs/s                 team/f         403
    admin          team/s                 team/f         201
    reader         logs/s                 copies/f       403
    reader         logs/s                 public/f       201
    reader         inbox/s                public/f       201
    reader         generations/{own}      public/f       201
    writer         logs/s                 copies/f       403
    writer         logs/absent            copies/f       403
    writer         backend/s              copies/f       201
    writer         public/s               generations/f  403
    logs key       logs/s                 copies/f       201
    logs key       logs/s                 logs/f         403
    logs key       logs/absent            copies/f       404
    logs key       inbox/s                copies/f       403
    logs key       generations/{own}      copies/f       403
    operator's key generations/{own}      copies/f       201
    operator's key logs/s                 copies/f       403
    owner's key    generations/{own}      copies/f       201
    owner's key    generations/{foreign}  copies/f       403
    owner's key    logs/s                 copies/f       201
    other's key    generations/{own}      copies/f       403
    worker         generations/{own}      copies/f       201
    worker         logs/s                 copies/f       403
    publisher      logs/s                 public/f       403
    publisher      public/s               backend/f      201
    ticket         logs/s                 public/f       401
    ticket         public/s               public/f       401
";

#[tokio::test]
async fn who_may_fork_what_is_who_may_read_it_and_write_there() {
    let world = World::new().await;
    for (number, line) in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let (rest, status) = line.rsplit_once(' ').unwrap();
        let (rest, target) = rest.trim().rsplit_once(' ').unwrap();
        let (who, source) = rest.trim().rsplit_once(' ').unwrap();
        // Each line has a place of its own.
        let target = format!("{target}{number}");
        let answer = world.fork(who.trim(), source, &target).await;
        assert_eq!(answer.status.to_string(), status, "{line}: {}", answer.raw);
        let made = world.server.log.lookup(&target.parse().unwrap()).await.unwrap();
        assert_eq!(made.is_some(), status == "201", "{line}");
    }
}

#[rstest]
#[case("nobody", "public/f")]
#[case("owner", "team/f")]
#[case("worker", "copies/f")]
#[tokio::test]
async fn a_stream_that_one_may_not_read_is_refused_in_the_same_words_whether_it_is_there_or_not(
    #[case] who: &str,
    #[case] target: &str,
) {
    let world = World::new().await;
    let words = async |source: &str| {
        let answer = world.fork(who, source, target).await;
        let mut problem = answer.problem();
        problem.as_object_mut().unwrap().remove("request_id");
        (answer.status, problem.to_string().replace(source, "{source}"))
    };
    let there = words("logs/s").await;
    assert_eq!(there, words("logs/absent").await);
    world.server.log.create(&"logs/f".parse().unwrap(), fork_of("logs/s")).await.unwrap();
    world.server.log.delete(&"logs/s".parse().unwrap()).await.unwrap();
    assert_eq!(there, words("logs/s").await, "nor whether it was deleted and is kept for a fork");
}

fn fork_of(source: &str) -> tidegate_log::NewStream {
    let fork = tidegate_log::NewFork { source: source.parse().unwrap(), at: None, sub: 0 };
    tidegate_log::NewStream { fork: Some(fork), ..tidegate_log::NewStream::default() }
}

#[tokio::test]
async fn a_fork_is_read_and_written_by_the_rules_of_its_own_path() {
    let world = World::new().await;
    assert_eq!(world.fork("reader", "logs/s", "public/copy").await.status, 201);
    let copy = world.ask("nobody", "GET /v1/stream/public/copy", &[], "").await;
    assert_eq!((copy.status, copy.body.as_str()), (200, "hello"));
    assert_eq!(world.ask("nobody", "POST /v1/stream/public/copy", &[TEXT], " own").await.status, 204);
    for request in ["GET /v1/stream/logs/s", "HEAD /v1/stream/logs/s", "DELETE /v1/stream/logs/s"] {
        assert_eq!(world.ask("nobody", request, &[], "").await.status, 401, "{request}");
    }
    assert_eq!(world.ask("writer", "DELETE /v1/stream/logs/s", &[], "").await.status, 204);
    assert_eq!(world.ask("reader", "GET /v1/stream/logs/s", &[], "").await.status, 410);
    assert_eq!(
        world.ask("nobody", "GET /v1/stream/logs/s", &[], "").await.status,
        401,
        "no word of it to others"
    );
    let copy = world.ask("nobody", "GET /v1/stream/public/copy", &[], "").await;
    assert_eq!(copy.body, "hello own");
}

#[tokio::test]
async fn a_ticket_of_a_fork_reads_what_it_inherits_and_goes_on_with_its_own() {
    let world = World::new().await;
    assert_eq!(world.fork("owner's key", "logs/s", "copies/f").await.status, 201);
    let mint = world.ask("owner's key", "POST /v1/stream/copies/f?ticket", &[], "").await;
    let ticket = body(&mint, 200)["sse_token"].as_str().unwrap().to_owned();
    let url = format!("/v1/stream/copies/f?ticket={ticket}&after=-1");
    let mut stream = EventStream::open(&world.server, &url, &[]).await;
    assert_eq!(stream.next_but_ping().await.unwrap().name, "tidegate.hello");
    assert_eq!(stream.next_but_ping().await.unwrap().data, "hello");
    assert_eq!(world.ask("owner's key", "POST /v1/stream/copies/f", &[TEXT], "own").await.status, 204);
    let own = stream.next_but_ping().await.unwrap();
    assert_eq!((own.data.as_str(), own.offset()), ("own", "0000000000000002"));
}

#[rstest]
#[case(&[("Stream-Forked-From", "public/s")], 400)]
#[case(&[("Stream-Forked-From", "/v1/stream/public%2Fs")], 400)]
#[case(&[("Stream-Forked-From", "/v1/stream/../public/s")], 400)]
#[case(&[("Stream-Forked-From", "/v1/stream/__ds/subscriptions/s")], 400)]
#[case(&[("Stream-Forked-From", "http://elsewhere/v1/stream/public/s")], 400)]
#[case(&[("Stream-Forked-From", "http://localhost/v1/stream/public/s")], 201)]
#[case(&[("Stream-Forked-From", "/v1/stream/public/%73")], 201)]
#[case(&[("Stream-Forked-From", "/v1/stream/public/s"), ("Stream-Forked-From", "/v1/stream/public/s")], 400)]
#[case(&[("Stream-Fork-Offset", "0000000000000000")], 400)]
#[case(&[("Stream-Forked-From", "/v1/stream/public/s"), ("Stream-Fork-Offset", "now")], 400)]
#[case(&[("Stream-Forked-From", "/v1/stream/public/s"), ("Stream-Fork-Offset", "0000000000000001")], 201)]
#[case(&[("Stream-Forked-From", "/v1/stream/public/s"), ("Stream-Fork-Offset", "0000000000000002")], 400)]
#[tokio::test]
async fn a_source_is_named_by_its_path_or_its_url_here(
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
) {
    let server = Server::with(rules).await;
    ask(&server, "PUT /v1/stream/public/s", &[TEXT], "hello").await;
    let answer = ask(&server, "PUT /v1/stream/public/f", headers, "").await;
    assert_eq!(answer.status, status, "{}", answer.raw);
    let there = server.send(&get("/v1/stream/public/f", &[])).await;
    assert_eq!(there.status, if status == 201 { 200 } else { 404 });
}

#[tokio::test]
async fn a_fork_before_the_trim_point_is_gone_and_its_first_records_are_read_as_its_source_says() {
    let server = Server::with(rules).await;
    let json = ("Content-Type", "application/json");
    ask(&server, "PUT /v1/stream/public/s", &[json], "[1,2,3]").await;
    server.log.trim(&"public/s".parse().unwrap(), tidegate_types::Offset::START.plus(2)).await.unwrap();
    let from = ("Stream-Forked-From", "/v1/stream/public/s");
    let early =
        ask(&server, "PUT /v1/stream/public/f", &[from, ("Stream-Fork-Offset", "0000000000000001")], "")
            .await;
    assert_eq!((early.status, early.code()), (410, "gone".to_owned()));
    // No content type: the body is what the source's type says.
    assert_eq!(ask(&server, "PUT /v1/stream/public/f", &[from], "[4,5]").await.status, 201);
    let all = server.send(&get("/v1/stream/public/f", &[])).await;
    assert_eq!(all.body, "[3,4,5]");
    let before = server.send(&get("/v1/stream/public/f?offset=0000000000000001", &[])).await;
    assert_eq!(before.status, 410, "what was trimmed before is no part of the fork");
}
