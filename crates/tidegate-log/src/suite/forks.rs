//! Random histories of forks against a model that copies: what is inherited must read as if it had been.

use tidegate_types::ReadFrom;

use super::model::Dice;
use super::{Bench, Subject, bytes_stream, check_page, offset, path, records, text};
use crate::{Append, AppendError, CreateError, LogOptions, NewFork, NewStream, ReadError, TailStep};

const PATHS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[derive(Debug, Default)]
struct Model {
    streams: Vec<Stream>,
    made: usize,
}

#[derive(Debug)]
struct Stream {
    name: &'static str,
    number: usize,
    records: Vec<String>,
    start: usize,
    source: Option<usize>,
    gone: bool,
}

impl Model {
    fn find(&mut self, name: &str) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.name == name)
    }

    fn living(&mut self, name: &str) -> Option<&mut Stream> {
        self.find(name).filter(|stream| !stream.gone)
    }

    fn insert(&mut self, name: &'static str, records: Vec<String>, start: usize, source: Option<usize>) {
        self.made += 1;
        self.streams.push(Stream { name, number: self.made, records, start, source, gone: false });
    }

    /// Takes away what is deleted and has no fork, until nothing is.
    fn settle(&mut self) {
        let has_fork = |all: &[Stream], number| all.iter().any(|s| s.source == Some(number));
        while let Some(at) = self.streams.iter().position(|s| s.gone && !has_fork(&self.streams, s.number)) {
            self.streams.remove(at);
        }
    }
}

/// A claim of the suite.
pub async fn random_forks_read_as_if_they_were_copies(subject: Subject) {
    // Few heads, small chunks of reading, a small ring: all is forgotten and read again all the time.
    let options = LogOptions { heads: 1, ring_records: 2, read_records: 3, ..LogOptions::default() };
    let mut bench = Bench::with(subject, options).await;
    let (mut model, mut dice) = (Model::default(), Dice(0x2545_f491_4f6c_dd1d));
    for round in 0..900_u64 {
        let name = pick(&mut dice);
        match dice.roll(20) {
            0..6 => append(&bench, &mut model, name, round, &mut dice).await,
            6..12 => fork(&bench, &mut model, name, &mut dice).await,
            12 => create(&bench, &mut model, name).await,
            13..15 => delete(&bench, &mut model, name).await,
            15 => trim(&bench, &mut model, name, &mut dice).await,
            16 if round % 4 == 0 => bench = bench.reopen().await,
            _ => compare(&bench, &mut model, name).await,
        }
    }
    for name in PATHS {
        compare(&bench, &mut model, name).await;
        delete(&bench, &mut model, name).await;
    }
    assert!(model.streams.is_empty());
}

fn pick(dice: &mut Dice) -> &'static str {
    PATHS.into_iter().nth(usize::try_from(dice.roll(6)).unwrap()).unwrap()
}

async fn create(bench: &Bench, model: &mut Model, name: &'static str) {
    let made = bench.log.create(&path(name), bytes_stream()).await;
    match model.find(name).map(|stream| (stream.gone, stream.source)) {
        Some((true, _)) => assert_eq!(made.unwrap_err(), CreateError::Kept),
        Some((false, Some(_))) => assert_eq!(made.unwrap_err(), CreateError::Exists),
        Some((false, None)) => assert!(made.unwrap().existed),
        None => {
            assert!(!made.unwrap().existed);
            model.insert(name, Vec::new(), 0, None);
        }
    }
}

async fn append(bench: &Bench, model: &mut Model, name: &str, round: u64, dice: &mut Dice) {
    let batch: Vec<String> = (0..=dice.roll(4)).map(|n| format!("{round}.{n}")).collect();
    let answer = bench.log.append(&path(name), Append::batch(records(&batch))).await;
    match model.find(name) {
        None => assert_eq!(answer, Err(AppendError::NotFound)),
        Some(stream) if stream.gone => assert_eq!(answer, Err(AppendError::Gone)),
        Some(stream) => {
            assert_eq!(answer.unwrap().first.get(), u64::try_from(stream.records.len()).unwrap());
            stream.records.extend(batch);
        }
    }
}

async fn fork(bench: &Bench, model: &mut Model, name: &'static str, dice: &mut Dice) {
    let source = pick(dice);
    let length = model.find(source).map_or(0, |stream| stream.records.len());
    let at = dice.roll(u64::try_from(length).unwrap() + 2);
    let sub = dice.roll(8).saturating_sub(3);
    if model.living(name).is_some() {
        return;
    }
    let expected = expect(model, name, source, at, sub);
    let fork = NewFork { source: path(source), at: Some(offset(at)), sub };
    let new = NewStream { fork: Some(fork), ..NewStream::default() };
    let made = bench.log.create(&path(name), new).await.map(|made| made.info.tail.get());
    match (expected, made) {
        (Ok(records), Ok(tail)) => {
            assert_eq!(tail, u64::try_from(records.len()).unwrap());
            let (number, start) = model.living(source).map(|s| (s.number, s.start)).unwrap();
            model.insert(name, records, start, Some(number));
        }
        (Err(()), Err(CreateError::Position(_))) => {}
        (Err(()), Err(refusal)) => assert_eq!(refusal, refused(model, name, source)),
        (expected, made) => assert_eq!(expected, made.map(|_| Vec::new()).map_err(|_| ())),
    }
}

/// The records that the fork begins with.
fn expect(model: &mut Model, name: &str, source: &str, at: u64, sub: u64) -> Result<Vec<String>, ()> {
    if model.find(name).is_some() {
        return Err(());
    }
    let source = model.living(source).ok_or(())?;
    let (at, sub) = (usize::try_from(at).unwrap(), usize::try_from(sub).unwrap());
    if at < source.start {
        return Err(());
    }
    let mut inherited = source.records.get(..at).ok_or(())?.to_vec();
    if sub > 0 {
        let part = source.records.get(at).and_then(|record| record.get(..sub)).ok_or(())?;
        inherited.push(part.to_owned());
    }
    Ok(inherited)
}

/// Why there is no fork, if its position is not the reason.
fn refused(model: &mut Model, name: &str, source: &str) -> CreateError {
    match (model.find(name).is_some(), model.find(source)) {
        (true, _) => CreateError::Kept,
        (false, None) => CreateError::NoSource,
        (false, Some(source)) if source.gone => CreateError::SourceDeleted,
        (false, Some(source)) => CreateError::Trimmed { start: offset(u64::try_from(source.start).unwrap()) },
    }
}

async fn delete(bench: &Bench, model: &mut Model, name: &str) {
    let lived = model.living(name).map(|stream| stream.gone = true).is_some();
    assert_eq!(bench.log.delete(&path(name)).await.unwrap(), lived);
    model.settle();
    // The chain behind it is taken away in the background.
    bench.housekeep().await;
}

async fn trim(bench: &Bench, model: &mut Model, name: &str, dice: &mut Dice) {
    let before = dice.roll(12);
    let answer = bench.log.trim(&path(name), offset(before)).await.unwrap();
    let expected = model.living(name).map(|stream| {
        stream.start = stream.start.max(usize::try_from(before).unwrap().min(stream.records.len()));
        offset(u64::try_from(stream.start).unwrap())
    });
    assert_eq!(answer, expected);
    bench.housekeep().await;
}

async fn compare(bench: &Bench, model: &mut Model, name: &str) {
    let found = bench.log.find(&path(name)).await;
    let stream = match model.find(name) {
        None => return assert_eq!(found.unwrap_err(), ReadError::NotFound),
        Some(stream) if stream.gone => return assert_eq!(found.unwrap_err(), ReadError::Gone),
        Some(stream) => stream,
    };
    assert_eq!(found.unwrap().tail.get(), u64::try_from(stream.records.len()).unwrap());
    let expected: Vec<String> = stream.records.iter().skip(stream.start).cloned().collect();
    assert_eq!(bench.read_all(&path(name)).await, expected);
    check_page(&bench.page(&path(name), ReadFrom::Start, 2).await);
    let mut tail = bench.log.tail(&path(name), ReadFrom::Start).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < expected.len() {
        if let TailStep::Frames { frames, .. } = tail.next(20).await.unwrap() {
            seen.extend(frames.iter().map(|frame| text(&frame.data)));
        }
    }
    assert_eq!(seen, expected);
}
