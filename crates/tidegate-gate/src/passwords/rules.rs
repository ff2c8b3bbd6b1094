//! Which passwords are taken.

use super::PasswordRejected;

const BYTES_MIN: usize = 8;
const BYTES_MAX: usize = 1_024;
/// How much of a password is judged: judging takes time that grows faster than its length, and
/// what is longer than this is hard to guess anyway.
const JUDGED_CHARS: usize = 128;
/// Guesses below which a password counts as common: the known lists with their usual variations.
const GUESSES_MIN: u64 = 100_000;

/// Refuses by length alone, before any work is done on the password.
pub(crate) const fn check_length(password: &str) -> Result<(), PasswordRejected> {
    if password.len() > BYTES_MAX {
        return Err(PasswordRejected::TooLong);
    }
    if password.len() < BYTES_MIN { Err(PasswordRejected::TooShort) } else { Ok(()) }
}

/// Refuses what anyone would guess; `context` are words that stand near, like the email.
pub(super) fn check_strength(password: &str, context: &[&str]) -> Result<(), PasswordRejected> {
    check_length(password)?;
    let judged: String = password.chars().take(JUDGED_CHARS).collect();
    let mut words = vec!["tidegate"];
    for word in context {
        words.push(word);
        words.extend(word.split(['@', '.', ' ']).filter(|part| part.chars().count() > 2));
    }
    if zxcvbn::zxcvbn(&judged, &words).guesses() < GUESSES_MIN {
        return Err(PasswordRejected::Common);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("short", PasswordRejected::TooShort)]
    #[case("password", PasswordRejected::Common)]
    #[case("password1", PasswordRejected::Common)]
    #[case("password123", PasswordRejected::Common)]
    #[case("12345678", PasswordRejected::Common)]
    #[case("qwertyuiop", PasswordRejected::Common)]
    #[case("iloveyou", PasswordRejected::Common)]
    #[case("aaaaaaaaaaaa", PasswordRejected::Common)]
    #[case("ada@example.test", PasswordRejected::Common)]
    fn what_anyone_would_guess_is_refused(#[case] password: &str, #[case] why: PasswordRejected) {
        assert_eq!(check_strength(password, &["ada@example.test"]), Err(why));
    }

    #[rstest]
    #[case("correct horse battery staple")]
    #[case("a-quiet-harbour-7")]
    #[case("Secret-Pass-2024!")]
    #[case("пароль-на-причале")]
    fn others_are_taken(#[case] password: &str) {
        assert_eq!(check_strength(password, &["ada@example.test"]), Ok(()));
    }

    #[test]
    fn the_longest_password_has_1024_bytes() {
        let phrase = "tide and time wait for no one ".repeat(40);
        assert_eq!(check_length(&phrase[..1_024]), Ok(()));
        assert_eq!(check_length(&phrase[..1_025]), Err(PasswordRejected::TooLong));
    }
}
