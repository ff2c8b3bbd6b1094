//! What the tests of tickets, connections, revocation and audit share: a gate on a real file and
//! a clock that is moved by hand.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tidegate_db::rusqlite::params;
use tidegate_db::{Db, DbError, DbOptions, LocalBus};
use tidegate_gate::{
    AuditFilter, AuditKind, AuditOrder, AuditPage, ClientFacts, Connection, EndReason, EnterError, FetchSite,
    Gate, GateConfig, GateParts, NewConnection, NoFetch, OpenedLease, Principal, Refused, Role, SqliteGate,
    StreamKind, StreamRef, TicketError, TicketFor, TicketPreview, TicketRequest, UserPrincipal, Via,
};
use tidegate_types::{
    Clock, LeaseId, Limits, Offset, OsEntropy, ResumeTag, Secret, SessionId, Timestamp, UserId,
};

#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// As clocks do that are set right.
    pub(crate) fn set_back(&self, by: Duration) {
        self.0.fetch_sub(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Live {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) db: Db,
    pub(crate) limits: Arc<Limits>,
    pub(crate) dir: Arc<tempfile::TempDir>,
}

pub(crate) async fn live() -> Live {
    live_with(Limits { tickets_per_minute_per_user: 1_000_000, ..Limits::default() }).await
}

pub(crate) async fn live_with(limits: Limits) -> Live {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let clock = Arc::new(HandClock(AtomicI64::new(1_763_690_000_123)));
    start(dir, clock, Arc::new(limits)).await
}

pub(crate) async fn start(dir: Arc<tempfile::TempDir>, clock: Arc<HandClock>, limits: Arc<Limits>) -> Live {
    let db = Db::open(&dir.path().join("gate.db"), &DbOptions::default()).await.unwrap();
    let gate = open_gate(db.clone(), Arc::clone(&clock), Arc::clone(&limits)).await;
    Live { gate, clock, db, limits, dir }
}

impl Live {
    /// The same data folder after the process died: nothing in memory is left.
    pub(crate) async fn restart(self) -> Self {
        let Self { gate, clock, db, limits, dir } = self;
        drop((gate, db));
        start(dir, clock, limits).await
    }

    /// Another process on the same file.
    pub(crate) async fn other_process(&self) -> Gate {
        let db = Db::open(self.db.path(), &DbOptions::default()).await.unwrap();
        open_gate(db, Arc::clone(&self.clock), Arc::clone(&self.limits)).await
    }

    pub(crate) async fn step(&self) {
        self.gate.step(self.clock.now()).await;
    }

    pub(crate) async fn mint(&self, principal: &Principal, stream: &StreamRef) -> Secret {
        self.mint_from(principal, stream, &no_browser()).await
    }

    pub(crate) async fn mint_from(
        &self,
        principal: &Principal,
        stream: &StreamRef,
        facts: &ClientFacts,
    ) -> Secret {
        let wanted = TicketFor { stream: stream.clone(), kind: StreamKind::Feed, start: Offset::new(7) };
        self.gate.mint_ticket(principal, wanted, facts).await.unwrap().secret
    }

    pub(crate) async fn open(&self, text: &str, tag: Option<&ResumeTag>) -> Result<OpenedLease, TicketError> {
        self.gate.open_ticket(text, tag, &feed(), &no_browser()).await
    }

    pub(crate) fn admit(&self, principal: &Principal, lease: Option<LeaseId>) -> Result<Connection, Refused> {
        self.gate.admit(connecting(principal, lease))
    }

    /// What a ticket would open; turned away at the door, it is not spent.
    pub(crate) async fn look(&self, text: &str) -> Result<TicketPreview, TicketError> {
        let looked =
            self.gate.enter_by_ticket(asking(text, None), |bearer| Err::<(), _>(bearer.clone())).await;
        match looked {
            Err(EnterError::TurnedAway(preview)) => Ok(preview),
            Err(EnterError::Ticket(error)) => Err(error),
            Ok(_) => panic!("the door turned it away"),
        }
    }

    /// Opens a stream as the edge does: admitted at the door, then attached.
    pub(crate) async fn connect(
        &self,
        text: &str,
        tag: Option<&ResumeTag>,
    ) -> Result<(Connection, OpenedLease), TicketError> {
        let gate = self.gate.clone();
        let door =
            move |bearer: &TicketPreview| gate.admit(connecting(&bearer.principal, Some(bearer.lease)));
        match self.gate.enter_by_ticket(asking(text, tag), door).await {
            Ok((opened, connection)) => {
                connection.opened(Some(&opened));
                Ok((connection, opened))
            }
            Err(EnterError::Ticket(error)) => Err(error),
            Err(EnterError::TurnedAway(refused)) => panic!("below every cap: {refused}"),
        }
    }
}

/// A ticket for the feed, without a browser.
pub(crate) fn asking<'r>(text: &'r str, tag: Option<&'r ResumeTag>) -> TicketRequest<'r> {
    static FEED: LazyLock<StreamRef> = LazyLock::new(feed);
    static FACTS: LazyLock<ClientFacts> = LazyLock::new(no_browser);
    TicketRequest { text, tag, stream: &FEED, facts: &FACTS }
}

pub(crate) fn connecting(principal: &Principal, lease: Option<LeaseId>) -> NewConnection {
    NewConnection {
        principal: principal.clone(),
        kind: StreamKind::Feed,
        stream: feed().path,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        lease,
        transport: "sse",
        request_id: "r".to_owned(),
    }
}

pub(crate) fn feed() -> StreamRef {
    StreamRef { path: "users/1/events".parse().unwrap(), id: 1 }
}

pub(crate) fn no_browser() -> ClientFacts {
    facts(None, None)
}

pub(crate) fn facts(origin: Option<&str>, fetch_site: Option<FetchSite>) -> ClientFacts {
    ClientFacts {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: None,
        origin: origin.map(str::to_owned),
        fetch_site,
        request_id: "r".to_owned(),
    }
}

async fn open_gate(db: Db, clock: Arc<HandClock>, limits: Arc<Limits>) -> Gate {
    let parts = GateParts {
        store: Arc::new(SqliteGate::open(db).await.unwrap()),
        clock,
        entropy: Arc::new(OsEntropy),
        bus: Arc::new(LocalBus::new(16)),
        fetch: Arc::new(NoFetch),
        config: GateConfig::new("a secret of thirty-two bytes, at least".to_owned().into()),
        limits,
    };
    Gate::open(parts).await.unwrap()
}

impl Live {
    /// A signed-in user. Written straight to the tables: passwords are not what is tested here.
    pub(crate) async fn user(&self) -> Principal {
        let user = UserId::generate(self.clock.now(), &OsEntropy);
        let now = self.clock.now().as_millis();
        let email = format!("{user}@example.test");
        self.db
            .write(move |tx| {
                let sql = "INSERT INTO users (id, email, email_key, role, password_hash, created_at)
                           VALUES (?1, ?2, ?2, 'user', '-', ?3)";
                Ok::<_, DbError>(tx.execute(sql, params![user.as_uuid(), email, now]).map(|_| ())?)
            })
            .await
            .unwrap();
        self.signed_in(user).await
    }

    /// The same user, signed in once more.
    pub(crate) async fn same_user_elsewhere(&self, user: &Principal) -> Principal {
        self.signed_in(user.user().unwrap().user_id).await
    }

    async fn signed_in(&self, user: UserId) -> Principal {
        let session = SessionId::generate(self.clock.now(), &OsEntropy);
        let now = self.clock.now().as_millis();
        self.db
            .write(move |tx| {
                let sql = "INSERT INTO sessions (id, user_id, kind, counter, rotated_at, access_ms,
                                                 created_at, last_used_at, expires_at)
                           VALUES (?1, ?2, 'token', 0, ?3, 600000, ?3, ?3, ?3 + 2592000000)";
                Ok::<_, DbError>(
                    tx.execute(sql, params![session.as_uuid(), user.as_uuid(), now]).map(|_| ())?,
                )
            })
            .await
            .unwrap();
        Principal::User(UserPrincipal {
            user_id: user,
            session_id: Some(session),
            role: Role::User,
            email: format!("{user}@example.test").into(),
            expires_at: None,
            via: Via::Token,
        })
    }

    /// Runs a statement behind the gate's back.
    pub(crate) async fn sql(&self, sql: &'static str) {
        self.db.write(move |tx| Ok::<_, DbError>(tx.execute_batch(sql)?)).await.unwrap();
    }

    /// How many events of this kind the audit holds.
    pub(crate) async fn audited(&self, kind: &str) -> usize {
        let filter = AuditFilter { kind: AuditKind::from_word(kind), ..AuditFilter::default() };
        let page = AuditPage { cursor: None, limit: 200, order: AuditOrder::OldestFirst };
        self.gate.list_audit(filter, page).await.unwrap().len()
    }
}

/// The reason of an end that must come at once.
pub(crate) async fn ended(connection: &mut Connection) -> EndReason {
    tokio::time::timeout(Duration::from_secs(5), connection.ended()).await.expect("the connection goes on")
}
