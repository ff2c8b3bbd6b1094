//! What conversations promise: order, endings, branches, deletions.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_documents::{
    AnswerFailed, Ask, AskError, Conversations, CreateConversationError, Fault, IfBusy, NewConversation,
    TurnStatus,
};
use tidegate_log::TailStep;
use tidegate_types::{DocumentId, ErrorCode, Limits, OsEntropy, ReadFrom, Timestamp, UserId};

use crate::talks::{Lead, Talks};

#[tokio::test]
async fn the_record_and_its_stream_are_there_when_the_question_was_taken() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let turn = talks.ask(conversation.id, "Why?").await;
    let (records, closed) = talks.records(&turn).await;
    assert_eq!(records[0]["type"], "start");
    assert_eq!(records[0]["turn_id"], "1");
    assert_eq!(records[0]["stream_url"], format!("/api/v1/conversations/{}/turns/1/stream", conversation.id));
    assert!(!closed);
    drop(lead);
    talks.until(&turn, |turn| turn.status == TurnStatus::Completed).await;
}

#[tokio::test]
async fn an_answer_ends_with_the_length_and_hash_of_its_whole_text() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let turn = talks.ask(conversation.id, "Why?").await;
    for word in ["Weil ", "es ", "für ", "alle ", "gut ist."] {
        lead.send(Lead::Say(word)).unwrap();
    }
    drop(lead);
    let ended = talks.until(&turn, |turn| turn.status.is_finished()).await;
    assert_eq!(ended.answer, "Weil es für alle gut ist.");
    let (records, closed) = talks.records(&turn).await;
    let text: String = records.iter().filter_map(|r| r["text"].as_str()).collect();
    let done = records.last().unwrap();
    assert_eq!((text.as_str(), closed), (ended.answer.as_str(), true));
    assert_eq!(done["type"], "done");
    assert_eq!(done["length"], 26);
    let hash = ended.ending.unwrap().text_sha256;
    assert_eq!((done["text_sha256"].as_str(), hash.len()), (Some(hash.as_str()), 64));
    assert_eq!(done["usage"]["words"], 1);
}

#[tokio::test]
async fn words_in_quick_succession_share_their_commits_and_keep_their_order() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let turn = talks.ask(conversation.id, "Count").await;
    for _ in 0..500 {
        lead.send(Lead::Say("ab")).unwrap();
    }
    drop(lead);
    let ended = talks.until(&turn, |turn| turn.status.is_finished()).await;
    assert_eq!(ended.answer, "ab".repeat(500));
    let (records, _) = talks.records(&turn).await;
    let deltas = records.iter().filter(|record| record["type"] == "delta").count();
    assert!(deltas <= 20, "{deltas} deltas for 500 words that came at once");
}

#[tokio::test]
async fn stopping_keeps_what_was_written_and_ends_the_answerers_work() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let turn = talks.ask(conversation.id, "Why?").await;
    lead.send(Lead::Say("Because")).unwrap();
    talks.until(&turn, |turn| turn.answer == "Because").await;
    let stopped = talks.conversations.stop(conversation.id, 1).await.unwrap();
    assert_eq!((stopped.status, stopped.answer.as_str()), (TurnStatus::Stopped, "Because"));
    assert_eq!(talks.led.dropped.load(Ordering::SeqCst), 1);
    assert!(lead.send(Lead::Say("more")).is_err());
    let (records, closed) = talks.records(&turn).await;
    assert_eq!((records.last().unwrap()["stopped"].as_bool(), closed), (Some(true), true));
    // Once more is no harm, and no such turn is told.
    assert_eq!(talks.conversations.stop(conversation.id, 1).await.unwrap().status, TurnStatus::Stopped);
    assert_eq!(talks.conversations.stop(conversation.id, 2).await.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn one_question_at_a_time_and_others_wait_or_are_refused() {
    let limits = Limits { questions_waiting_per_conversation: 1, ..Limits::default() };
    let talks = Talks::with(limits).await;
    let conversation = talks.conversation().await;
    let (first_lead, second_lead) = (talks.lead(), talks.lead());
    let first = talks.ask(conversation.id, "One").await;
    talks.until(&first, |turn| turn.status == TurnStatus::Answering).await;
    let refuse = Ask { message: "No".into(), if_busy: IfBusy::Refuse, ..Ask::default() };
    let refused = talks.conversations.ask(conversation.id, refuse).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::ConversationBusy);
    let second = talks.ask(conversation.id, "Two").await;
    assert_eq!((second.number, second.parent, second.status), (2, Some(1), TurnStatus::Waiting));
    let third = Ask { message: "Three".into(), ..Ask::default() };
    assert!(matches!(talks.conversations.ask(conversation.id, third).await, Err(AskError::Busy)));
    assert_eq!(talks.led.begun.load(Ordering::SeqCst), 1);
    first_lead.send(Lead::Say("1")).unwrap();
    drop(first_lead);
    talks.until(&second, |turn| turn.status == TurnStatus::Answering).await;
    drop(second_lead);
    talks.until(&second, |turn| turn.status == TurnStatus::Completed).await;
    let asked = talks.led.asked.lock().unwrap();
    assert_eq!(asked[1].history.len(), 1);
    assert_eq!((asked[1].history[0].message.as_str(), asked[1].history[0].answer.as_str()), ("One", "1"));
}

#[tokio::test]
async fn a_waiting_question_can_be_stopped_before_it_begins() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let first = talks.ask(conversation.id, "One").await;
    let second = talks.ask(conversation.id, "Two").await;
    let stopped = talks.conversations.stop(conversation.id, second.number).await.unwrap();
    assert_eq!((stopped.status, stopped.answer.as_str()), (TurnStatus::Stopped, ""));
    drop(lead);
    talks.until(&first, |turn| turn.status == TurnStatus::Completed).await;
    assert_eq!(talks.led.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn asking_again_makes_a_sibling_on_the_same_branch() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    for message in ["One", "Two"] {
        drop(talks.lead());
        let turn = talks.ask(conversation.id, message).await;
        talks.until(&turn, |turn| turn.status.is_finished()).await;
    }
    drop(talks.lead());
    let again = talks.conversations.regenerate(conversation.id, 2, None, IfBusy::Wait).await.unwrap().turn;
    assert_eq!((again.number, again.parent, again.sibling_of), (3, Some(1), Some(2)));
    assert_eq!(again.message, "Two");
    talks.until(&again, |turn| turn.status.is_finished()).await;
    // A branch that was named is followed, not the newest.
    drop(talks.lead());
    let ask = Ask { message: "After two".into(), parent: Some(2), ..Ask::default() };
    let turn = talks.conversations.ask(conversation.id, ask).await.unwrap().turn;
    assert_eq!(turn.parent, Some(2));
    let nowhere = Ask { message: "x".into(), parent: Some(77), ..Ask::default() };
    assert!(matches!(talks.conversations.ask(conversation.id, nowhere).await, Err(AskError::Parent)));
}

#[tokio::test]
async fn a_failure_ends_the_turn_and_says_whose_fault_it_was() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let turn = talks.ask(conversation.id, "Why?").await;
    lead.send(Lead::Say("Half")).unwrap();
    let failed =
        AnswerFailed { code: "model-broke-off", detail: "It broke off.".into(), fault: Fault::Model };
    lead.send(Lead::Fail(failed)).unwrap();
    let ended = talks.until(&turn, |turn| turn.status == TurnStatus::Failed).await;
    assert_eq!(ended.answer, "Half");
    let (records, closed) = talks.records(&turn).await;
    let last = records.last().unwrap();
    assert_eq!((last["type"].as_str(), last["code"].as_str()), (Some("turn.error"), Some("model-broke-off")));
    assert_eq!((last["fault"].as_str(), last["length"].as_u64(), closed), (Some("model"), Some(4), true));
}

#[tokio::test]
async fn a_panic_of_an_answerer_ends_its_turn_and_no_other() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let turn = talks.ask(conversation.id, "Why?").await;
    lead.send(Lead::Panic).unwrap();
    let ended = talks.until(&turn, |turn| turn.status == TurnStatus::Failed).await;
    assert_eq!(ended.ending.unwrap().error.unwrap().code, "internal");
    drop(talks.lead());
    let next = talks.ask(conversation.id, "And now?").await;
    talks.until(&next, |turn| turn.status == TurnStatus::Completed).await;
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_cut_and_says_so() {
    let talks = Talks::with(Limits { answer_bytes: 1_024, ..Limits::default() }).await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let turn = talks.ask(conversation.id, "Count").await;
    for _ in 0..600 {
        let _ = lead.send(Lead::Say("aé"));
    }
    let ended = talks.until(&turn, |turn| turn.status == TurnStatus::Failed).await;
    assert!((1_023..=1_024).contains(&ended.answer.len()), "{}", ended.answer.len());
    assert_eq!(ended.ending.unwrap().error.unwrap().code, "answer-too-long");
}

#[tokio::test]
async fn after_a_crash_unfinished_turns_end_and_keep_what_was_written() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let (first, waiting) = (talks.ask(conversation.id, "One").await, talks.ask(conversation.id, "Two").await);
    lead.send(Lead::Say("Half")).unwrap();
    talks.until(&first, |turn| turn.answer == "Half").await;
    let talks = talks.crash().await;
    for (turn, text) in [(&first, "Half"), (&waiting, "")] {
        let ended = talks.until(turn, |turn| turn.status == TurnStatus::Failed).await;
        assert_eq!(ended.answer, text);
        assert_eq!(ended.ending.unwrap().error.unwrap().code, "server-restarted");
        assert!(talks.records(turn).await.1, "the stream is closed");
    }
    drop(talks.lead());
    let next = talks.ask(conversation.id, "Three").await;
    assert_eq!(next.number, 3);
    talks.until(&next, |turn| turn.status == TurnStatus::Completed).await;
    drop(lead);
}

#[tokio::test]
async fn a_drain_ends_all_answers_and_takes_no_more() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let turn = talks.ask(conversation.id, "One").await;
    lead.send(Lead::Say("Half")).unwrap();
    talks.until(&turn, |turn| turn.answer == "Half").await;
    talks.conversations.drain().await;
    let ended = talks.conversations.turn(conversation.id, 1).await.unwrap().unwrap();
    assert_eq!((ended.status, ended.answer.as_str()), (TurnStatus::Failed, "Half"));
    let ask = Ask { message: "More".into(), ..Ask::default() };
    assert!(matches!(talks.conversations.ask(conversation.id, ask).await, Err(AskError::Draining)));
}

#[tokio::test]
async fn deleting_ends_tails_and_answers_and_leaves_nothing() {
    let talks = Talks::start().await;
    let conversation = talks.conversation().await;
    let lead = talks.lead();
    let turn = talks.ask(conversation.id, "One").await;
    lead.send(Lead::Say("Half")).unwrap();
    talks.until(&turn, |turn| turn.answer == "Half").await;
    let path = Conversations::stream_path(conversation.id, 1);
    let mut tail = talks.rig.log.tail(&path, ReadFrom::Tail).await.unwrap();
    talks.conversations.delete(conversation.id).await.unwrap();
    let ended = async {
        loop {
            match tail.next(65_536).await.unwrap() {
                TailStep::Deleted => return,
                TailStep::Closed => panic!("a deleted stream was closed"),
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap();
    assert!(talks.conversations.lookup(conversation.id).await.unwrap().is_none());
    assert!(talks.conversations.turn(conversation.id, 1).await.unwrap().is_none());
    assert!(talks.rig.log.lookup(&path).await.unwrap().is_none());
    let again = talks.conversations.delete(conversation.id).await.unwrap_err();
    assert_eq!(again.code(), ErrorCode::NotFound);
    let ask = Ask { message: "More".into(), ..Ask::default() };
    assert!(matches!(talks.conversations.ask(conversation.id, ask).await, Err(AskError::NotFound)));
}

#[tokio::test]
async fn documents_of_a_conversation_are_its_owners() {
    let talks = Talks::start().await;
    let document = talks.rig.ready("a.txt", b"A ticket lives for sixty seconds.").await;
    let other = UserId::generate(Timestamp::from_millis(5), &OsEntropy);
    let new = |id| NewConversation { title: None, document_ids: vec![id] };
    let foreign = talks.conversations.create(other, new(document.id)).await;
    assert!(matches!(foreign, Err(CreateConversationError::NoDocument)));
    let absent = DocumentId::generate(Timestamp::from_millis(5), &OsEntropy);
    let absent = talks.conversations.create(talks.rig.owner, new(absent)).await;
    assert!(matches!(absent, Err(CreateConversationError::NoDocument)));
    let chat = talks.conversations.chat_of(talks.rig.owner, document.id).await.unwrap();
    let again = talks.conversations.chat_of(talks.rig.owner, document.id).await.unwrap();
    assert_eq!((chat.id, chat.title.as_deref()), (again.id, Some("a.txt")));
}

#[tokio::test]
async fn lists_are_pages_newest_first_and_turns_oldest_first() {
    let talks = Talks::with(Limits { conversations_per_user: 5, ..Limits::default() }).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(talks.conversation().await.id);
    }
    let many = talks.conversations.create(talks.rig.owner, NewConversation::default()).await;
    assert_eq!(many.unwrap_err().code(), ErrorCode::ConversationLimit);
    let page = talks.conversations.list(talks.rig.owner, None, 3).await.unwrap();
    assert_eq!(page.items.iter().map(|c| c.id).collect::<Vec<_>>(), [ids[4], ids[3], ids[2]]);
    let rest = talks.conversations.list(talks.rig.owner, page.next_cursor.as_deref(), 3).await.unwrap();
    assert_eq!((rest.items.len(), rest.next_cursor), (2, None));
    for message in ["1", "2", "3"] {
        drop(talks.lead());
        let turn = talks.ask(ids[0], message).await;
        talks.until(&turn, |turn| turn.status.is_finished()).await;
    }
    let turns = talks.conversations.turns(ids[0], None, 2).await.unwrap();
    assert_eq!(turns.items.iter().map(|t| t.number).collect::<Vec<_>>(), [1, 2]);
    let rest = talks.conversations.turns(ids[0], turns.next_cursor.as_deref(), 2).await.unwrap();
    assert_eq!((rest.items[0].number, rest.next_cursor), (3, None));
}
