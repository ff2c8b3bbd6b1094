//! Passage numbers in a model's text: `[2]`, `[1, 3]`.
//!
//! Text goes through at once and unchanged; a number is told right after its closing bracket, also
//! when the brackets came in several pieces. Numbers of no passage are only text.

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Cite(usize),
}

/// The longest inside of brackets that can be numbers.
const INSIDE_MAX: usize = 32;

/// Finds numbers in text that comes in pieces.
#[derive(Debug)]
pub(super) struct Cites {
    passages: usize,
    inside: Option<String>,
}

impl Cites {
    pub(super) const fn new(passages: usize) -> Self {
        Self { passages, inside: None }
    }

    pub(super) fn push(&mut self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        for c in text.chars() {
            plain.push(c);
            match (c, self.inside.as_mut()) {
                ('[', _) => self.inside = Some(String::new()),
                (']', Some(inside)) => {
                    let numbers = numbers(inside, self.passages);
                    self.inside = None;
                    if !numbers.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                        pieces.extend(numbers.into_iter().map(Piece::Cite));
                    }
                }
                (c, Some(inside))
                    if inside.len() < INSIDE_MAX && (c.is_ascii_digit() || ", ".contains(c)) =>
                {
                    inside.push(c);
                }
                (_, Some(_)) => self.inside = None,
                (_, None) => {}
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        pieces
    }
}

fn numbers(inside: &str, passages: usize) -> Vec<usize> {
    let parts = inside.split(',').map(|part| part.trim().parse::<usize>().ok());
    parts.flatten().filter(|number| (1..=passages).contains(number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(parts: &[&str]) -> (String, Vec<usize>) {
        let mut cites = Cites::new(3);
        let (mut text, mut numbers) = (String::new(), Vec::new());
        for piece in parts.iter().flat_map(|part| cites.push(part)) {
            match piece {
                Piece::Text(t) => text.push_str(&t),
                Piece::Cite(n) => numbers.push(n),
            }
        }
        (text, numbers)
    }

    #[test]
    fn numbers_of_passages_are_told_and_others_are_text() {
        assert_eq!(
            read(&["Yes [1], no [2, 3]. [4] [x] [1"]),
            ("Yes [1], no [2, 3]. [4] [x] [1".into(), vec![1, 2, 3])
        );
    }

    #[test]
    fn a_number_is_told_right_after_its_bracket() {
        let mut cites = Cites::new(1);
        assert_eq!(
            cites.push("a [1] b"),
            [Piece::Text("a [1]".into()), Piece::Cite(1), Piece::Text(" b".into())]
        );
    }

    proptest! {
        #[test]
        fn any_split_reads_alike(text in "[a\\[\\] 123,é]{0,40}", at in 0usize..40) {
            let at = text.floor_char_boundary(at.min(text.len()));
            let whole = read(&[&text]);
            prop_assert_eq!(&whole.0, &text);
            prop_assert_eq!(read(&[&text[..at], &text[at..]]), whole);
        }
    }
}
