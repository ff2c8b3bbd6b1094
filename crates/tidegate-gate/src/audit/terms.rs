//! Which words a batch of events may hold: a Bloom filter over their kinds, actors, subjects and streams, so that
//! a filtered list need not unpack every batch.
//!
//! Owns: the form of the filter, which is stored: ten bits a word, seven of them set by it.
//! Must not: say "no" of a word that is there.

use super::row::Fields;

const BITS_PER_WORD: usize = 10;
const PROBES: u32 = 7;

/// One word of one field, as the filter knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word(u64);

impl Word {
    pub(crate) fn kind(text: &str) -> Self {
        Self::of(1, text)
    }

    pub(crate) fn actor(text: &str) -> Self {
        Self::of(2, text)
    }

    pub(crate) fn subject(text: &str) -> Self {
        Self::of(3, text)
    }

    pub(crate) fn stream(text: &str) -> Self {
        Self::of(4, text)
    }

    /// Not for secrets, and not against those who choose words: a collision costs one look inside.
    fn of(field: u64, text: &str) -> Self {
        let mut state = mixed(field ^ ((text.len() as u64) << 8));
        let (eights, rest) = text.as_bytes().as_chunks();
        for eight in eights {
            state = mixed(state ^ u64::from_le_bytes(*eight));
        }
        if !rest.is_empty() {
            let mut eight = [0; 8];
            eight.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            state = mixed(state ^ u64::from_le_bytes(eight));
        }
        Self(state)
    }

    /// Its bits in a filter of this many.
    fn bits(self, count: usize) -> impl Iterator<Item = usize> {
        let [low, high] = [self.0 & 0xffff_ffff, (self.0 >> 32) | 1];
        let count = (count as u64).max(1);
        (0..u64::from(PROBES)).map(move |n| usize::try_from((low + n * high) % count).unwrap_or(0))
    }
}

const fn mixed(state: u64) -> u64 {
    let state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state ^ (state >> 29)
}

/// The words of one event.
pub(crate) fn words_of<'f>(row: &Fields<'f>) -> impl Iterator<Item = Word> + use<'f> {
    let always = [Word::kind(row.kind), Word::actor(row.actor)];
    always.into_iter().chain(row.subject.map(Word::subject)).chain(row.stream.map(Word::stream))
}

/// The filter over these words.
pub(crate) fn filter_of(mut words: Vec<Word>) -> Vec<u8> {
    words.sort_unstable();
    words.dedup();
    let mut filter = vec![0_u8; (words.len() * BITS_PER_WORD).div_ceil(8)];
    let count = filter.len() * 8;
    for bit in words.into_iter().flat_map(|word| word.bits(count)) {
        if let Some(byte) = filter.get_mut(bit / 8) {
            *byte |= 1 << (bit % 8);
        }
    }
    filter
}

/// Whether a word may be among those that a filter was made of.
pub(crate) fn may_hold(filter: &[u8], word: Word) -> bool {
    word.bits(filter.len() * 8)
        .all(|bit| filter.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(count: usize) -> Vec<Word> {
        (0..count).map(|n| Word::subject(&format!("00000000-0000-7000-8000-{n:012}"))).collect()
    }

    #[test]
    fn no_word_that_is_there_is_denied_and_few_others_are_believed() {
        for count in [1, 7, 256, 1_024] {
            let filter = filter_of(words(count));
            assert!(words(count).into_iter().all(|word| may_hold(&filter, word)));
            let others = words(count + 20_000).split_off(count);
            let believed = others.into_iter().filter(|word| may_hold(&filter, *word)).count();
            assert!(believed < 600, "{believed} of 20,000 with {count}");
        }
    }

    #[test]
    fn one_text_in_two_fields_is_two_words() {
        let filter = filter_of(vec![Word::subject("a"), Word::kind("b")]);
        assert!(!may_hold(&filter, Word::actor("a")) && !may_hold(&filter, Word::stream("b")));
        assert!(!may_hold(&[], Word::kind("b")));
    }

    #[test]
    fn the_form_of_the_filter_is_kept() {
        // Filters are stored: another form would hide what older servers wrote.
        assert_eq!(filter_of(vec![Word::kind("mint"), Word::actor("operator")]), [106, 181, 217]);
    }
}
