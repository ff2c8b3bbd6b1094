//! The first word about a new file: does it open, and hold text? The upload waits a moment for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_types::DocumentId;
use tokio::sync::Notify;

use crate::{Documents, Failure};

/// How long an upload's answer waits for the word.
const PATIENCE: Duration = Duration::from_millis(1_500);

#[derive(Debug, Default)]
enum Word {
    #[default]
    Awaited,
    /// It opens and holds text.
    Good,
    /// It does not; whoever found out removes it before the upload hears.
    Bad,
    /// Removed.
    Told(Failure),
    /// The upload has answered without it.
    TooLate,
}

/// The word about one file.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    word: Mutex<Word>,
    news: Notify,
}

impl Verdict {
    /// Waits for the word. `Some`: the file is of no use, and nothing is left of it.
    pub(crate) async fn wait(&self) -> Option<Failure> {
        // A bad word counts from the moment it is found, so its removal is waited for.
        if tokio::time::timeout(PATIENCE, self.settled()).await.is_err() && self.give_up() {
            return None;
        }
        self.settled().await
    }

    async fn settled(&self) -> Option<Failure> {
        loop {
            let news = self.news.notified();
            match &*self.word.lock().unwrap_or_else(PoisonError::into_inner) {
                Word::Good | Word::TooLate => return None,
                Word::Told(failure) => return Some(failure.clone()),
                Word::Awaited | Word::Bad => {}
            }
            news.await;
        }
    }

    /// Stops waiting, unless the word has fallen.
    fn give_up(&self) -> bool {
        let mut word = self.word.lock().unwrap_or_else(PoisonError::into_inner);
        let awaited = matches!(*word, Word::Awaited);
        if awaited {
            *word = Word::TooLate;
        }
        awaited
    }

    /// The file is of no use. Answers whether the upload still waits, so that the caller removes it
    /// and then calls [`Verdict::told`].
    fn bad(&self) -> bool {
        let mut word = self.word.lock().unwrap_or_else(PoisonError::into_inner);
        let awaited = matches!(*word, Word::Awaited);
        if awaited {
            *word = Word::Bad;
        }
        awaited
    }

    fn say(&self, said: Word) {
        let mut word = self.word.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*word, Word::Awaited | Word::Bad) {
            *word = said;
        }
        drop(word);
        self.news.notify_one();
    }
}

impl Documents {
    /// Makes room for the word about a new file.
    pub(crate) fn expect_verdict(&self, id: DocumentId) -> Arc<Verdict> {
        let verdict = Arc::new(Verdict::default());
        let mut verdicts = self.inner.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.insert(id, Arc::clone(&verdict));
        verdict
    }

    pub(crate) fn forget_verdict(&self, id: DocumentId) {
        self.take_verdict(id);
    }

    fn take_verdict(&self, id: DocumentId) -> Option<Arc<Verdict>> {
        self.inner.verdicts.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    /// The file is of use, or its extraction has ended in a way that the upload need not know of.
    pub(crate) fn say_good(&self, id: DocumentId) {
        if let Some(verdict) = self.take_verdict(id) {
            verdict.say(Word::Good);
        }
    }

    /// The file is of no use. `true`: its upload still waited, has now been told, and nothing of the
    /// document is left.
    pub(crate) async fn refuse_upload(&self, id: DocumentId, failure: &Failure) -> bool {
        let Some(verdict) = self.take_verdict(id) else { return false };
        if !verdict.bad() {
            return false;
        }
        if let Err(error) = self.delete(&id).await {
            tracing::warn!(document.id = %id, %error, "a refused document could not be removed");
            verdict.say(Word::Good);
            return false;
        }
        verdict.say(Word::Told(failure.clone()));
        true
    }
}
