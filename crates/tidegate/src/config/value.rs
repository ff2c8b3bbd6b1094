//! Values that are more than a text or a number: secrets, lengths of time, addresses.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret setting: shown as stars everywhere.
#[derive(Clone)]
pub struct Hidden(SecretString);

impl Hidden {
    /// The secret itself, for the code that signs with it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// The secret, still wrapped.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("********")
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// A length of time in whole seconds, written `900`, `15m` or `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(u64);

impl Lifetime {
    /// From seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// In seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// As a duration.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

/// The text is not a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a length of time")]
pub struct LifetimeError;

impl FromStr for Lifetime {
    type Err = LifetimeError;

    fn from_str(text: &str) -> Result<Self, LifetimeError> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or(LifetimeError)?;
        let seconds_per: u64 = match unit.trim() {
            "" | "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return Err(LifetimeError),
        };
        let number: u64 = number.parse().map_err(|_| LifetimeError)?;
        number.checked_mul(seconds_per).map(Self).ok_or(LifetimeError)
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (seconds, unit) in [(86_400, "d"), (3_600, "h"), (60, "m")] {
            if self.0 > 0 && self.0.is_multiple_of(seconds) {
                return write!(f, "{}{unit}", self.0 / seconds);
            }
        }
        write!(f, "{}", self.0)
    }
}

impl Serialize for Lifetime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Seconds(u64),
            Text(String),
        }
        let wanted = "a length of time is written like 900, 15m, 12h or 7d";
        match Written::deserialize(deserializer).map_err(|_| serde::de::Error::custom(wanted))? {
            Written::Seconds(seconds) => Ok(Self(seconds)),
            Written::Text(text) => text.parse().map_err(|_| serde::de::Error::custom(wanted)),
        }
    }
}

/// Where to listen: an address and a port, `localhost` for the loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenAddr(SocketAddr);

impl ListenAddr {
    /// The loopback on this port.
    #[must_use]
    pub const fn loopback(port: u16) -> Self {
        Self(SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// As the socket wants it.
    #[must_use]
    pub const fn socket(self) -> SocketAddr {
        self.0
    }

    /// The same address with another port.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.0.set_port(port);
        self
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub const fn is_loopback(self) -> bool {
        self.0.ip().is_loopback()
    }
}

/// The text is not an address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address is written like 127.0.0.1:8000, localhost:8000 or [::1]:8000")]
pub struct ListenAddrError;

impl FromStr for ListenAddr {
    type Err = ListenAddrError;

    fn from_str(text: &str) -> Result<Self, ListenAddrError> {
        if let Some(port) = text.strip_prefix("localhost:") {
            return port.parse().map(Self::loopback).map_err(|_| ListenAddrError);
        }
        text.parse().map(Self).map_err(|_| ListenAddrError)
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for ListenAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ListenAddr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, seconds) in [("900", 900), ("15m", 900), ("7d", 604_800), ("12h", 43_200), ("30s", 30)] {
            assert_eq!(text.parse(), Ok(Lifetime(seconds)), "{text}");
        }
        for bad in ["", "m", "15 parsecs", "-3", "1.5h", "99999999999999999999d"] {
            assert_eq!(bad.parse::<Lifetime>(), Err(LifetimeError), "{bad:?}");
        }
    }

    #[test]
    fn a_length_of_time_prints_as_it_is_read() {
        for seconds in [0, 1, 60, 900, 3_600, 86_400, 604_800, 90_061] {
            let lifetime = Lifetime(seconds);
            assert_eq!(lifetime.to_string().parse(), Ok(lifetime));
        }
    }

    #[test]
    fn a_secret_never_prints() {
        let hidden = Hidden::from("correct horse battery staple".to_owned());
        assert_eq!(format!("{hidden:?}"), "********");
        assert_eq!(serde_json::to_string(&hidden).unwrap(), "\"********\"");
    }
}
