//! Random histories against a model that is too simple to be wrong.

use std::collections::BTreeMap;

use tidegate_types::ReadFrom;

use super::{Bench, Subject, bytes_stream, check_page, offset, path, records, text};
use crate::{Append, AppendError, LogOptions, Producer, TailStep};

const PATHS: [&str; 3] = ["a", "b", "c/d"];

#[derive(Debug, Default)]
struct Model {
    records: Vec<String>,
    start: usize,
    closed: bool,
    producer_seq: Option<u64>,
}

/// A small generator, so that a history can be told by its seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        // xorshift64*, Vigna 2016.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// A claim of the suite.
pub async fn random_histories_agree_with_a_model(subject: Subject) {
    history(subject, 0x9e37_79b9_7f4a_7c15, Bench::reopen).await;
}

/// One random history, told by its seed. `restart` answers a bench over the same content.
pub async fn history(subject: Subject, seed: u64, restart: impl AsyncFn(Bench) -> Bench) {
    // Few heads and a small ring: both are forgotten and read again all the time.
    let options = LogOptions { heads: 1, ring_records: 2, ..LogOptions::default() };
    let mut bench = Bench::with(subject, options).await;
    let mut models: BTreeMap<&str, Model> = BTreeMap::new();
    let mut dice = Dice(seed | 1);
    for round in 0..600 {
        let name = PATHS.into_iter().nth(usize::try_from(dice.roll(3)).unwrap()).unwrap();
        match dice.roll(21) {
            0..8 => append(&bench, models.get_mut(name), name, round, &mut dice).await,
            8..11 => produce(&bench, models.get_mut(name), name, &mut dice).await,
            11 => close(&bench, models.get_mut(name), name).await,
            12 => delete(&bench, &mut models, name).await,
            13 => trim(&bench, models.get_mut(name), name, &mut dice).await,
            14 => bench.housekeep().await,
            15 => bench = restart(bench).await,
            16..18 => create(&bench, &mut models, name).await,
            18 => bench.merge().await,
            _ => compare(&bench, models.get(name), name, &mut dice).await,
        }
    }
    for name in PATHS {
        compare(&bench, models.get(name), name, &mut dice).await;
    }
}

async fn create(bench: &Bench, models: &mut BTreeMap<&str, Model>, name: &'static str) {
    let made = bench.log.create(&path(name), bytes_stream()).await;
    match models.get(name) {
        Some(model) if model.closed => assert!(made.is_err()),
        Some(_) => assert!(made.unwrap().existed),
        None => {
            assert!(!made.unwrap().existed);
            models.insert(name, Model::default());
        }
    }
}

async fn append(bench: &Bench, model: Option<&mut Model>, name: &str, round: u64, dice: &mut Dice) {
    // Now and then large enough for a chunk, or for several.
    let padding = "-".repeat(match dice.roll(16) {
        0 => 70_000,
        1 => 5_000,
        _ => 0,
    });
    let batch: Vec<String> = (0..=dice.roll(4)).map(|n| format!("{round}.{n}{padding}")).collect();
    let answer = bench.log.append(&path(name), Append::batch(records(&batch))).await;
    match model {
        None => assert_eq!(answer, Err(AppendError::NotFound)),
        Some(model) if model.closed => assert!(matches!(answer, Err(AppendError::Closed { .. }))),
        Some(model) => {
            assert_eq!(answer.unwrap().first.get(), u64::try_from(model.records.len()).unwrap());
            model.records.extend(batch);
        }
    }
}

async fn produce(bench: &Bench, model: Option<&mut Model>, name: &str, dice: &mut Dice) {
    let Some(model) = model else { return };
    let expected = model.producer_seq.map_or(0, |last| last + 1);
    let seq = (expected + dice.roll(3)).saturating_sub(1);
    let producer = Some(Producer { id: "p".to_owned(), epoch: 1, seq });
    let stream_seq = Some(format!("{seq:010}"));
    let append = Append { producer, seq: stream_seq, ..Append::one(format!("p{seq}")) };
    let answer = bench.log.append(&path(name), append).await;
    match (seq, model.closed) {
        (seq, _) if seq < expected => assert!(answer.unwrap().duplicate),
        (_, true) => assert!(matches!(answer, Err(AppendError::Closed { .. }))),
        (seq, false) if seq == expected => {
            assert!(!answer.unwrap().duplicate);
            model.producer_seq = Some(seq);
            model.records.push(format!("p{seq}"));
        }
        _ => assert_eq!(answer, Err(AppendError::ProducerGap { expected, received: seq })),
    }
    if let Some(last) = model.producer_seq.filter(|_| !model.closed) {
        let last = format!("{last:010}");
        let repeated = Append { seq: Some(last.clone()), ..Append::one("x") };
        let answer = bench.log.append(&path(name), repeated).await;
        assert_eq!(answer, Err(AppendError::SequenceConflict { last }));
    }
}

async fn close(bench: &Bench, model: Option<&mut Model>, name: &str) {
    let answer = bench.log.append(&path(name), Append::close()).await;
    match model {
        None => assert_eq!(answer, Err(AppendError::NotFound)),
        Some(model) => {
            assert!(answer.unwrap().closed);
            model.closed = true;
        }
    }
}

async fn delete(bench: &Bench, models: &mut BTreeMap<&str, Model>, name: &str) {
    assert_eq!(bench.log.delete(&path(name)).await.unwrap(), models.remove(name).is_some());
}

async fn trim(bench: &Bench, model: Option<&mut Model>, name: &str, dice: &mut Dice) {
    let before = dice.roll(30);
    let answer = bench.log.trim(&path(name), offset(before)).await.unwrap();
    let expected = model.map(|model| {
        model.start = model.start.max(usize::try_from(before).unwrap().min(model.records.len()));
        offset(u64::try_from(model.start).unwrap())
    });
    assert_eq!(answer, expected);
}

async fn compare(bench: &Bench, model: Option<&Model>, name: &str, dice: &mut Dice) {
    let found = bench.log.lookup(&path(name)).await.unwrap();
    let (Some(info), Some(model)) = (&found, model) else {
        assert_eq!(found.is_some(), model.is_some());
        return;
    };
    assert_eq!(info.closed, model.closed);
    assert_eq!(info.tail.get(), u64::try_from(model.records.len()).unwrap());
    let expected: Vec<String> = model.records.iter().skip(model.start).cloned().collect();
    assert_eq!(bench.read_all(&path(name)).await, expected);
    let from = dice.roll(u64::try_from(model.records.len()).unwrap() + 1);
    check_page(&bench.page(&path(name), ReadFrom::At(offset(from)), 5).await);
    let mut tail = bench.log.tail(&path(name), ReadFrom::Start).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < expected.len() {
        let TailStep::Frames { frames, .. } = tail.next(50).await.unwrap() else { break };
        seen.extend(frames.iter().map(|frame| text(&frame.data)));
    }
    assert_eq!(seen, expected);
}
